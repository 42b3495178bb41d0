// Where the entries of this tablet are, and what to do when they do not get further.
import type { ComponentChildren } from "preact";
import { when } from "../format.ts";
import { Icon, type IconName } from "../icons.tsx";
import { Alert, Button, ErrorAlert, NoticeAlert, Section, Title, classes } from "../parts.tsx";
import { footerWords } from "../shell.tsx";
import { useAction, useUi } from "../ui.tsx";

const DAY_S = 86400;
const OLD_DAYS = 3;
const LEASE_WARN_DAYS = 4;

export function Send() {
  const ui = useUi();
  const { app, t } = ui;
  const { sync, device } = app;
  const busy = sync.state === "connecting" || sync.state === "syncing";
  const words = footerWords(ui, sync);
  const looks = sync.looks + sync.noted;
  const days = sync.lastSync === null ? 0 : Math.floor((app.clock.now() - sync.lastSync) / DAY_S);
  return (
    <div class="narrow">
      <Title
        icon={words.icon}
        sub={sync.lastSync === null ? t("send_never") : t("send_last", { time: when(app, sync.lastSync) })}
      >
        {words.main}
      </Title>
      {device.entryOnly && device.notice && <NoticeAlert notice={device.notice} type="warning" />}
      {sync.error && <NoticeAlert notice={sync.error} type="warning" />}
      {days >= OLD_DAYS && (
        <Alert type="warning">
          <p>{t("send_old", { n: days })}</p>
        </Alert>
      )}
      <Warnings all />
      <div class="states">
        <State
          icon="device"
          n={sync.unsent - sync.looks}
          title={t("send_state_tablet")}
          help={t("send_state_tablet_help")}
        />
        {looks > 0 && (
          <State icon="eye" n={looks} title={t("send_state_looks")} help={t("send_state_looks_help")} />
        )}
        <State
          icon="sent"
          n={sync.unsafe}
          title={t("send_state_server")}
          help={t("send_state_server_help")}
        />
        <State
          icon="shield"
          n={sync.unsent || sync.unsafe || sync.allSentAt === null ? null : "✓"}
          title={t("send_state_safe")}
          help={t("send_state_safe_help")}
        />
      </div>
      <Button look="primary-action" icon="send" wide busy={busy} onClick={() => void app.syncNow()}>
        {t(busy ? "send_busy" : "send_now")}
      </Button>
      <EndShift />
      {app.person && sync.unsent > 0 && (sync.error || days >= 1) && <ExportUnsent />}
      {device.state === "ready" && <OfferAgain />}
      {device.mustUpdate && (
        <Alert type="warning">
          <p>{t("send_update_needed")}</p>
        </Alert>
      )}
    </div>
  );
}

/** The last tap of a shift: what was begun is kept, what is there is sent, and nobody is signed in any more. */
export function EndShift() {
  const { app, t, drafts } = useUi();
  if (!app.person) return null;
  const end = () => {
    drafts.flush();
    void app.endShift();
  };
  return (
    <div class="end-shift">
      <Button icon="lock" wide onClick={end}>
        {t("send_end")}
      </Button>
      <p class="help">{t("send_end_help")}</p>
    </div>
  );
}

function State({
  icon,
  n,
  title,
  help,
}: {
  icon: IconName;
  n: number | string | null;
  title: string;
  help: ComponentChildren;
}) {
  const some = n !== null && n !== 0;
  return (
    <div class={classes("state", some && "some")}>
      <Icon name={icon} />
      <div>
        <p class="strong">{title}</p>
        <p class="help">{help}</p>
      </div>
      <span class="state-n">{n === null ? "–" : n}</span>
    </div>
  );
}

/** What is not wrong yet. */
export function Warnings({ all }: { all?: boolean }) {
  const { app, t } = useUi();
  const { device } = app;
  const lines = [
    device.leaseDays !== null &&
      device.state !== "lease_over" &&
      device.leaseDays <= LEASE_WARN_DAYS &&
      t("send_lease", { n: device.leaseDays }),
    device.clockOffS !== 0 &&
      t("send_clock", { n: Math.max(1, Math.round(Math.abs(device.clockOffS) / 60)) }),
    all && device.state === "ready" && !device.persistent && t("send_persist"),
  ].filter(Boolean);
  return lines.length ? (
    <Alert type="info">
      {lines.map((line, i) => (
        <p key={i}>{line}</p>
      ))}
    </Alert>
  ) : null;
}

/** For a server that was restored: what it lacks it takes, and the rest does no harm. */
function OfferAgain() {
  const { app, t, say } = useUi();
  const { busy, error, run } = useAction();
  const offer = () =>
    run(async () => {
      await app.offerAgain();
      say({ text: t("send_again_done") });
      void app.syncNow();
    });
  return (
    <details class="more again">
      <summary>
        <span>{t("send_again_title")}</span>
      </summary>
      <p class="help">{t("send_again_help")}</p>
      <div class="again-in">
        <ErrorAlert error={error} />
        <Button icon="send" wide busy={busy} onClick={offer}>
          {t("send_again")}
        </Button>
      </div>
    </details>
  );
}

export function ExportUnsent() {
  const { app, t, say } = useUi();
  const { busy, error, run } = useAction();
  const save = () =>
    run(async () => {
      const file = await app.exportUnsent();
      const url = URL.createObjectURL(file.body);
      const link = document.createElement("a");
      link.href = url;
      link.download = file.name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 60000);
      say({ text: t("send_export_done", { n: file.entries }) });
    });
  return (
    <Section title={t("send_export")}>
      <p class="help">{t("send_export_help")}</p>
      <ErrorAlert error={error} />
      <Button icon="note" wide busy={busy} onClick={save}>
        {t("send_export")}
      </Button>
    </Section>
  );
}
