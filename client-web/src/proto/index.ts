// What the app uses of the protocol.
export * from "./bytes.ts";
export * from "./chain.ts";
export * from "./enrol.ts";
export * from "./error.ts";
export * from "./fold.ts";
export * from "./generated.ts";
export * from "./int64.ts";
export * from "./log.ts";
export * from "./msg.ts";
export * from "./name.ts";
export * from "./op.ts";
export * from "./record.ts";
export * from "./schema.ts";
export * from "./session.ts";
export * from "./steps.ts";
export * from "./store.ts";
export * from "./value.ts";
