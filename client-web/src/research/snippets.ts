// Programs that read a release, ready to be pasted. The token is never in them: it comes from the
// environment. EXPORTS.md shows the same ones; tests/snippets.test.ts runs them.
export interface Snippet {
  name: "curl" | "R" | "pandas" | "SPSS";
  text: string;
}

/** origin: "https://sync.example.nl"; release: "2026-02". */
export function snippets(origin: string, release: string): Snippet[] {
  const at = `${origin}/v1/releases/${release}`;
  return [
    {
      name: "R",
      text: `library(httr2); library(haven)
request("${at}/sleep.sav") |>
  req_auth_bearer_token(Sys.getenv("TOKEN")) |>
  req_perform(path = "sleep.sav")
sleep <- read_sav("sleep.sav", user_na = TRUE)
subset(sleep, told == 1 & measure == "sleep_se" & level == 1,
       c(network_name, source, clients, value, sd))
`,
    },
    {
      name: "pandas",
      text: `import os
import pandas as pd

sleep = pd.read_csv(
    "${at}/sleep.csv",
    storage_options={"Authorization": "Bearer " + os.environ["TOKEN"]},
    na_values=[-97, -98, -99])
sleep[(sleep.told == 1) & (sleep.measure == "sleep_se") & (sleep.level == 1)].pivot_table(
    index="network_name", columns="source", values="value")
`,
    },
    {
      name: "SPSS",
      text: `* First save sleep.sav: at the desk, or with curl.
GET FILE='sleep.sav'.
SELECT IF (told = 1 AND measure = 'sleep_se' AND level = 1).
LIST network source clients value sd.
`,
    },
    {
      name: "curl",
      text: `curl --fail --remote-name --header "Authorization: Bearer $TOKEN" \\
  ${at}/sleep.csv
`,
    },
  ];
}
