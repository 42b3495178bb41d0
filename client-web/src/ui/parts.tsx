// Building blocks of the screens, in the classes of the NL Design System where it has them.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { AppError, Notice } from "../app/api.ts";
import { Icon, type IconName } from "./icons.tsx";
import { useUi, type WithChildren } from "./ui.tsx";

export const classes = (...names: (string | false | null | undefined)[]): string =>
  names.filter(Boolean).join(" ");

interface ButtonProps {
  look?: "primary-action" | "secondary-action" | "subtle";
  icon?: IconName;
  wide?: boolean;
  danger?: boolean;
  busy?: boolean;
  label?: string;
  onClick: () => void;
  children: ComponentChildren;
}
export function Button({
  look = "secondary-action",
  icon,
  wide,
  danger,
  busy,
  label,
  onClick,
  children,
}: ButtonProps) {
  return (
    <button
      type="button"
      class={classes(
        "utrecht-button",
        "utrecht-button--html-button",
        `utrecht-button--${look}`,
        wide && "wide",
        danger && "danger",
      )}
      aria-label={label}
      aria-busy={busy}
      aria-disabled={busy}
      onClick={onClick}
    >
      {icon && <Icon name={icon} />}
      <span>{children}</span>
    </button>
  );
}

interface LinkProps {
  href: string;
  icon?: IconName;
  class?: string;
  children: ComponentChildren;
}
/** A link that looks like a button: it goes elsewhere. */
export function ButtonLink({ href, icon, class: more, children }: LinkProps) {
  return (
    <a
      href={href}
      class={classes(
        "utrecht-button-link",
        "utrecht-button-link--html-a",
        "utrecht-button-link--secondary-action",
        more,
      )}
    >
      {icon && <Icon name={icon} />}
      <span>{children}</span>
    </a>
  );
}

type AlertType = "info" | "ok" | "warning" | "error";
const ALERT_ICON: Record<AlertType, IconName> = {
  info: "help",
  ok: "check",
  warning: "warning",
  error: "warning",
};
export function Alert({ type, live, children }: { type: AlertType; live?: boolean } & WithChildren) {
  return (
    <div class={`utrecht-alert utrecht-alert--${type}`} role={live ? "alert" : undefined}>
      <Icon name={ALERT_ICON[type]} />
      <div class="utrecht-alert__message">{children}</div>
    </div>
  );
}

/** What is the matter, and what to do about it. */
export function NoticeAlert({
  notice,
  type = "warning",
  live,
  children,
}: { notice: Notice; type?: AlertType; live?: boolean } & WithChildren) {
  const { l } = useUi();
  return (
    <Alert type={type} live={live}>
      <p class="strong" data-notice={notice.code}>
        {l(notice.text)}
      </p>
      {l(notice.todo) && <p>{l(notice.todo)}</p>}
      {children}
    </Alert>
  );
}

export function ErrorAlert({ error }: { error: AppError | null | undefined }) {
  return error ? <NoticeAlert notice={error} type="error" live /> : null;
}

/** The heading of a screen. It gets the focus when the screen opens, so that a screen reader begins here. */
export function Title({ icon, sub, children }: { icon?: IconName; sub?: ComponentChildren } & WithChildren) {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => ref.current?.focus({ preventScroll: true }), []);
  return (
    <div class="title">
      {icon && (
        <span class="title-icon">
          <Icon name={icon} />
        </span>
      )}
      <div>
        <h1 class="utrecht-heading-1" tabIndex={-1} ref={ref}>
          {children}
        </h1>
        {sub && <p class="sub">{sub}</p>}
      </div>
    </div>
  );
}

export function Section({
  title,
  children,
  aside,
}: { title: string; aside?: ComponentChildren } & WithChildren) {
  return (
    <section class="section">
      <div class="section-head">
        <h2 class="utrecht-heading-2">{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

export function Badge({
  type = "neutral",
  icon,
  children,
}: { type?: "neutral" | "ok" | "warning" | "error"; icon?: IconName } & WithChildren) {
  return (
    <span class={classes("utrecht-status-badge", type !== "neutral" && `badge-${type}`)}>
      {icon && <Icon name={icon} />}
      {children}
    </span>
  );
}

/** Initials in one of six tints, the same for the same name. */
export function Avatar({ name }: { name: string }) {
  const words = name.trim().split(/\s+/);
  const initials =
    words.length > 1
      ? words[0].charAt(0) + words[words.length - 1].charAt(0)
      : [...words[0]].slice(0, 2).join("");
  const tint = [...name].reduce((sum, c) => (sum * 31 + (c.codePointAt(0) ?? 0)) % 6, 0);
  return (
    <span class={`avatar tint-${tint}`} aria-hidden="true">
      {initials.toLocaleUpperCase()}
    </span>
  );
}

interface ChoiceProps {
  name: string;
  checked: boolean;
  /** several may be chosen */
  several?: boolean;
  quiet?: boolean;
  onChange: (checked: boolean) => void;
  children: ComponentChildren;
}
/** A big button that is a radio button or a checkbox for keyboard and screen reader. */
export function ChoiceButton({ name, checked, several, quiet, onChange, children }: ChoiceProps) {
  return (
    <label class={classes("choice", checked && "chosen", quiet && "quiet")}>
      <input
        type={several ? "checkbox" : "radio"}
        class="hidden-input"
        name={name}
        checked={checked}
        onChange={(e) => onChange(e.currentTarget.checked)}
      />
      {checked && <Icon name="check" />}
      <span>{children}</span>
    </label>
  );
}

/** What a line of text holds, as a browser and its keyboard want to know it. */
const INPUTS = {
  text: { autoComplete: "off" },
  code: { autoComplete: "off", autoCapitalize: "characters", spellcheck: false },
  login: { autoComplete: "username", autoCapitalize: "none", spellcheck: false },
  password: { type: "password", autoComplete: "current-password", autoCapitalize: "none", spellcheck: false },
  password_new: { type: "password", autoComplete: "new-password", autoCapitalize: "none", spellcheck: false },
  once: { autoComplete: "one-time-code", autoCapitalize: "none", spellcheck: false },
} as const;

interface TextProps {
  id: string;
  label: string;
  help?: string;
  problem?: string;
  value: string;
  maxLength?: number;
  is?: keyof typeof INPUTS;
  focus?: boolean;
  onValue: (value: string) => void;
}
export function TextInput({
  id,
  label,
  help,
  problem,
  value,
  maxLength,
  is = "text",
  focus,
  onValue,
}: TextProps) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (focus) input.current?.focus();
  }, [focus]);
  const described = classes(help && `${id}-help`, problem && `${id}-problem`) || undefined;
  return (
    <div class="utrecht-form-field">
      <label class="utrecht-form-label" for={id}>
        {label}
      </label>
      {help && (
        <p class="help" id={`${id}-help`}>
          {help}
        </p>
      )}
      <input
        {...INPUTS[is]}
        ref={input}
        id={id}
        value={value}
        maxLength={maxLength}
        onInput={(e) => onValue(e.currentTarget.value)}
        class={classes(
          "utrecht-textbox",
          "utrecht-textbox--html-input",
          problem && "utrecht-textbox--invalid",
        )}
        aria-invalid={problem ? true : undefined}
        aria-describedby={described}
      />
      {problem && (
        <p class="problem" id={`${id}-problem`}>
          <Icon name="warning" /> {problem}
        </p>
      )}
    </div>
  );
}

export function Loading() {
  const { t } = useUi();
  return (
    <p class="loading" role="status">
      {t("loading")}
    </p>
  );
}
