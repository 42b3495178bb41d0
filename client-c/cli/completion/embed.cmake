# The completion scripts as bytes of the program: cmake -DBASH= -DZSH= -DOUT= -P embed.cmake
set(text "/* Made from the scripts in completion/. */\n#include \"cli.h\"\n")
foreach(shell BASH ZSH)
  file(READ ${${shell}} hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(TOLOWER ${shell} name)
  string(APPEND text "const unsigned char cli_completion_${name}[] = {${bytes}};\n"
    "const size_t cli_completion_${name}_bytes = sizeof cli_completion_${name};\n")
endforeach()
file(WRITE ${OUT} "${text}")
