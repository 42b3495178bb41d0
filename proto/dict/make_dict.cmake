# Writes proto/src/dict1.c from proto/dict/dict1.txt:  cmake -P proto/dict/make_dict.cmake
# The bytes of dict1.txt are part of the protocol (frame mode 1): they never change. Better text becomes another dictionary.
cmake_minimum_required(VERSION 3.25)
set(here ${CMAKE_CURRENT_LIST_DIR})
file(READ ${here}/dict1.txt hex HEX)
string(LENGTH "${hex}" digits)
set(lines "")
foreach(at RANGE 0 ${digits} 36)
  string(SUBSTRING "${hex}" ${at} 36 part)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1, " part "${part}")
  string(STRIP "${part}" part)
  if(part)
    string(APPEND lines "  ${part}\n")
  endif()
endforeach()
file(WRITE ${here}/../src/dict1.c "/* Made by proto/dict/make_dict.cmake from proto/dict/dict1.txt: do not edit. */
#include \"dict1.h\"

const uint8_t ov_dict1[OV_DICT1_BYTES] = {
${lines}};
")
