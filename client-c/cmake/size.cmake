# Sizes of the shared library without symbols: cmake -DLIB= -DSTRIP= -DWORK= -P size.cmake
set(copy ${WORK}/liboverdracht.stripped.so)
execute_process(COMMAND ${STRIP} --strip-unneeded -o ${copy} ${LIB} COMMAND_ERROR_IS_FATAL ANY)
file(SIZE ${copy} bytes)
execute_process(COMMAND size ${copy} OUTPUT_VARIABLE out COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCH "\n *([0-9]+)[ \t]+([0-9]+)[ \t]+([0-9]+)" found "${out}")
message("liboverdracht, stripped: ${bytes} bytes on disk; code and constants ${CMAKE_MATCH_1}, data ${CMAKE_MATCH_2}, zeroed ${CMAKE_MATCH_3}")
