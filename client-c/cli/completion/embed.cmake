# The completion scripts as bytes of the program: cmake -DBASH= -DZSH= -DOUT= -P embed.cmake
set(text "/* Made from the scripts in completion/. */\n")
foreach(shell BASH ZSH)
  file(READ ${${shell}} hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(TOLOWER ${shell} name)
  string(APPEND text "static const unsigned char completion_${name}[] = {${bytes}};\n")
endforeach()
file(WRITE ${OUT} "${text}")
