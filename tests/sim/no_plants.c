/* In place of the list of planted bugs: this program has none. */
#include "sim.h"

sim_plant sim_plants[1];
const unsigned sim_n_plants = 0;
bool sim_planted(unsigned i) { return sim_plants[i].on; }
