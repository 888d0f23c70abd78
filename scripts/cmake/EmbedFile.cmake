# Puts the bytes of a file into a program. Included, this defines embed_file; run by the build (cmake -P), it writes the
# C file.
#
#   embed_file(LIST FILE HEADER FUNCTION [WITHOUT_LUA_COMMENTS])
#
# appends to LIST a source file that defines `struct bytes FUNCTION(void)`, declared in HEADER: the bytes of FILE, all of
# them and no others. WITHOUT_LUA_COMMENTS leaves out lines that are a comment, and the last line's end.
if(NOT CMAKE_SCRIPT_MODE_FILE)
    set(EMBED_FILE_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
    function(embed_file list file header function)
        set(output ${CMAKE_CURRENT_BINARY_DIR}/${function}.c)
        cmake_parse_arguments(PARSE_ARGV 4 option WITHOUT_LUA_COMMENTS "" "")
        add_custom_command(
            OUTPUT ${output}
            COMMAND ${CMAKE_COMMAND} -DFILE=${file} -DROOT=${CMAKE_SOURCE_DIR} -DHEADER=${header} -DFUNCTION=${function}
                -DWITHOUT_LUA_COMMENTS=${option_WITHOUT_LUA_COMMENTS} -DOUTPUT=${output} -P ${EMBED_FILE_SCRIPT}
            DEPENDS ${CMAKE_SOURCE_DIR}/${file} ${EMBED_FILE_SCRIPT}
            VERBATIM)
        set(${list} ${${list}} ${output} PARENT_SCOPE)
    endfunction()
    return()
endif()

if(WITHOUT_LUA_COMMENTS)
    file(READ ${ROOT}/${FILE} text)
    string(REGEX REPLACE "\n *--[^\n]*" "" text "\n${text}")
    string(STRIP "${text}" text)
    string(HEX "${text}" hex)
else()
    file(READ ${ROOT}/${FILE} hex HEX)
endif()
string(REGEX REPLACE "(................................)" "\\1\n    " hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1, " hex "${hex}")
file(WRITE ${OUTPUT} "/* Made from ${FILE} by the build. */
#include \"${HEADER}\"

static const unsigned char BYTES[] = {
    ${hex}
};

struct bytes ${FUNCTION}(void)
{
    return (struct bytes){(const char *)BYTES, sizeof BYTES};
}
")
