// Before there is a team to see: enrolling the tablet, and what to do when it can no longer work.
import { useEffect, useRef, useState } from "preact/hooks";
import { Alert, Button, ErrorAlert, NoticeAlert, TextInput, Title } from "../parts.tsx";
import { hasCamera, qrReader } from "../qr.ts";
import { useAction, useUi } from "../ui.tsx";
import { ExportUnsent } from "./send.tsx";

export function Enrol() {
  const { app, t } = useUi();
  const [code, setCode] = useState(app.offeredCode ?? "");
  const [name, setName] = useState(t("enrol_name_default"));
  const [scanning, setScanning] = useState(false);
  const [tried, setTried] = useState(false);
  const { busy, error, run } = useAction();
  const lost = app.device.state === "store_lost";
  const enrol = () => {
    setTried(true);
    if (code.trim() && name.trim()) run(() => app.enrol(code, name.trim()));
  };
  const scanned = (text: string) => {
    setScanning(false);
    setCode(codeOf(text));
  };
  return (
    <div class="narrow">
      <Title icon="device">{t(lost ? "lost_title" : "enrol_title")}</Title>
      {lost && app.device.notice && <NoticeAlert notice={app.device.notice} type="error" />}
      <p class="lead">{t("enrol_lead")}</p>
      <form
        class="card stack"
        onSubmit={(e) => {
          e.preventDefault();
          enrol();
        }}
      >
        {scanning && <Scanner found={scanned} close={() => setScanning(false)} />}
        {!scanning && hasCamera() && (
          <Button icon="scan" wide onClick={() => setScanning(true)}>
            {t("enrol_scan")}
          </Button>
        )}
        <TextInput
          id="code"
          label={t("enrol_code")}
          help={t("enrol_code_help")}
          problem={tried && !code.trim() ? t("enrol_empty") : undefined}
          value={code}
          is="code"
          onValue={setCode}
        />
        <TextInput
          id="tablet-name"
          label={t("enrol_name")}
          help={t("enrol_name_help")}
          problem={tried && !name.trim() ? t("enrol_name_empty") : undefined}
          value={name}
          maxLength={40}
          onValue={setName}
        />
        <ErrorAlert error={error} />
        {busy && (
          <p class="loading" role="status">
            {t("enrol_busy")}
          </p>
        )}
        <button
          type="submit"
          class="utrecht-button utrecht-button--html-button utrecht-button--primary-action wide"
          aria-busy={busy}
        >
          <span>{t("enrol_go")}</span>
        </button>
      </form>
    </div>
  );
}

/** A QR code may hold the code alone or the address that ends in #code=…. */
export const codeOf = (scanned: string): string =>
  /[#&]code=([^&]+)/.exec(scanned)?.[1] ?? scanned.slice(0, 64);

/** The camera's picture until a code in it can be read. */
function Scanner({ found, close }: { found: (text: string) => void; close: () => void }) {
  const { t } = useUi();
  const video = useRef<HTMLVideoElement>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let open = true;
    let stream: MediaStream | null = null;
    const scan = async () => {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      const read = await qrReader();
      const picture = video.current;
      if (!open || !picture) return stop(stream);
      picture.srcObject = stream;
      await picture.play();
      while (open) {
        const text = await read(picture);
        if (text !== null && open) return found(text);
        await new Promise((next) => setTimeout(next, LOOK_EVERY_MS));
      }
    };
    scan().catch(() => open && setFailed(true));
    return () => {
      open = false;
      stop(stream);
    };
  }, []);
  return (
    <div class="scanner stack">
      {failed ? (
        <Alert type="warning" live>
          <p>{t("enrol_no_camera")}</p>
        </Alert>
      ) : (
        <p class="help" role="status">
          {t("enrol_scanning")}
        </p>
      )}
      {!failed && <video ref={video} muted playsInline />}
      <Button onClick={close}>{t("cancel")}</Button>
    </div>
  );
}
const LOOK_EVERY_MS = 200;
const stop = (stream: MediaStream | null) => stream?.getTracks().forEach((track) => track.stop());

const STOPPED_TITLES = {
  revoked: "revoked_title",
  lease_over: "lease_title",
  closed: "closed_title",
  newer_app_elsewhere: "newer_title",
} as const;
/** Revoked, opened elsewhere, closed before its team came: what happened, and the one thing to do. */
export function Stopped() {
  const { app, t } = useUi();
  const { state, notice, entryOnly } = app.device;
  const title = STOPPED_TITLES[state as keyof typeof STOPPED_TITLES] ?? "newer_title";
  return (
    <div class="narrow">
      <Title icon={state === "newer_app_elsewhere" ? "device" : "lock"}>{t(title)}</Title>
      {notice && !entryOnly && <NoticeAlert notice={notice} type={state === "revoked" ? "error" : "warning"} />}
      {entryOnly && <Reconnect />}
      {state === "newer_app_elsewhere" && (
        <Button look="primary-action" wide onClick={() => location.reload()}>
          {t("reload")}
        </Button>
      )}
      {app.sync.unsent > 0 && state !== "newer_app_elsewhere" && <ExportUnsent />}
    </div>
  );
}

/** Nothing of what was recorded is shown: why, that entries can be made, and what opens it. */
export function EntryOnly() {
  const { notice, entryOnly } = useUi().app.device;
  if (!entryOnly || !notice) return null;
  return (
    <NoticeAlert notice={notice} type="warning">
      <Reconnect />
    </NoticeAlert>
  );
}
function Reconnect() {
  const { app, t, l } = useUi();
  const busy = app.sync.state === "connecting" || app.sync.state === "syncing";
  return (
    <>
      {app.sync.error && <p role="status">{l(app.sync.error.text)}</p>}
      <Button icon="send" busy={busy} onClick={() => void app.syncNow()}>
        {t(busy ? "send_busy" : "send_now")}
      </Button>
    </>
  );
}
