/* Why an op is held, in words. The order is that of ov_held. */
#include "ov/fold.h"

#include <stddef.h>

static const struct {
  const char *en, *nl;
} texts[OV_HELD_COUNT] = {
    [OV_HELD_NONE] = {"not held", "niet aangehouden"},
    [OV_HELD_TYPE] = {"a value has the wrong type", "een antwoord heeft de verkeerde vorm"},
    [OV_HELD_RANGE] = {"a value is out of range", "een getal is te hoog of te laag"},
    [OV_HELD_CODE] = {"a value is not in the code list", "een antwoord staat niet in de lijst"},
    [OV_HELD_LENGTH] = {"a text is too long", "een tekst is te lang"},
    [OV_HELD_UNKNOWN_FIELD] = {"a field does not exist in this form",
                               "een vraag bestaat niet in dit formulier"},
    [OV_HELD_AUTHOR] = {"the author may not do this", "deze persoon mag dit niet doen"},
    [OV_HELD_DEVICE] = {"the device may not do this", "deze tablet mag dit niet doen"},
    [OV_HELD_SCOPE] = {"this does not belong to the team", "dit hoort niet bij dit team"},
    [OV_HELD_ERASED] = {"the client's data were erased", "de gegevens van deze cliënt zijn gewist"},
    [OV_HELD_KIND] = {"the form does not fit the record", "het formulier past niet bij wat er al staat"},
    [OV_HELD_REF] = {"it refers to something that does not fit", "het verwijst naar iets dat niet klopt"},
    [OV_HELD_REVOKED] = {"the device was revoked", "deze tablet is ingetrokken"},
    [OV_HELD_FROZEN] = {"the record has too many changes and is frozen",
                        "dit is te vaak gewijzigd en staat nu vast"},
};

static bool known(int reason) { return reason >= 0 && reason < OV_HELD_COUNT; }

const char *ov_held_text_en(int reason) {
  return known(reason) ? texts[reason].en : "held for a reason unknown here";
}

const char *ov_held_text_nl(int reason) {
  return known(reason) ? texts[reason].nl : "aangehouden; de reden is hier niet bekend";
}
