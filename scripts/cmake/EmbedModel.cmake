# Writes a C file that holds the bytes of schemas/scoring.json.
file(READ ${INPUT} hex HEX)
string(REGEX REPLACE "(................................)" "\\1\n    " hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1, " hex "${hex}")
file(WRITE ${OUTPUT} "/* Made from schemas/scoring.json by the build. */
#include \"common/domain/scoring_model.h\"

static const unsigned char TEXT[] = {
    ${hex}
};

struct bytes scoring_model_builtin(void)
{
    return (struct bytes){(const char *)TEXT, sizeof TEXT};
}
")
