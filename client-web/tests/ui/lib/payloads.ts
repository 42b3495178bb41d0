// Texts that a careless page would run. Each tries to set `pwned`.
export const PAYLOADS = [
  `<script>globalThis.pwned=1</script>`,
  `"><img src=x onerror="globalThis.pwned=1">`,
  `<svg/onload=globalThis.pwned=1>`,
  `javascript:globalThis.pwned=1`,
  `'-globalThis.pwned=1-'`,
  "${globalThis.pwned=1}{{constructor.constructor('globalThis.pwned=1')()}}",
  `</textarea><iframe srcdoc="<script>parent.pwned=1</script>">`,
  `<a href="javascript:globalThis.pwned=1">tik</a>`,
  `<math><mtext><style><img src=x onerror=globalThis.pwned=1></style></mtext></math>`,
  `<input autofocus onfocus=globalThis.pwned=1>`,
  `&lt;b&gt;vet&lt;/b&gt; \u202e draai \u0000 nul`,
  `[[proto]] __proto__ constructor toString`,
] as const;
