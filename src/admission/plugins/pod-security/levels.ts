import { type FieldError, invalidValue } from '../../../machinery/field.js';

export type Level = 'privileged' | 'baseline' | 'restricted';
const LEVELS: readonly string[] = ['privileged', 'baseline', 'restricted'] satisfies Level[];

/** A level as it was at a version of Kubernetes. */
export interface LevelVersion {
  readonly level: Level;
  /** Minor version; Infinity: latest. */
  readonly minor: number;
}

export interface Policy {
  /** What pods must keep. */
  readonly enforce: LevelVersion;
  /** What is noted in the audit log when it is not kept. */
  readonly audit: LevelVersion;
  /** What clients are warned about. */
  readonly warn: LevelVersion;
}

export type Mode = keyof Policy;
export const MODES: readonly Mode[] = ['enforce', 'audit', 'warn'];

export const PREFIX = 'pod-security.kubernetes.io/';
export const levelLabel = (mode: Mode): string => PREFIX + mode;
export const versionLabel = (mode: Mode): string => `${PREFIX}${mode}-version`;

/** As labels and messages say it: `baseline:v1.30`, `restricted:latest`. */
export function levelText({ level, minor }: LevelVersion): string {
  return `${level}:${minor === Infinity ? 'latest' : `v1.${minor}`}`;
}

/** Undefined when it is none. */
export function parseLevel(text: string): Level | undefined {
  return LEVELS.includes(text) ? (text as Level) : undefined;
}

/** Minor version of `v1.x`, Infinity for `latest`, undefined for anything else. */
export function parseVersion(text: string): number | undefined {
  if (text === 'latest') return Infinity;
  const minor = /^v1\.([0-9]|[1-9][0-9]{0,9})$/.exec(text)?.[1];
  return minor === undefined ? undefined : Number(minor);
}

export const NO_LEVEL = `must be one of ${LEVELS.join(', ')}`;
export const NO_VERSION = 'must be "latest" or "v1.x"';

/** Negative: `a` is less strict than `b`. */
export function compareLevels(a: Level, b: Level): number {
  return LEVELS.indexOf(a) - LEVELS.indexOf(b);
}

export function sameLevel(a: LevelVersion, b: LevelVersion): boolean {
  return a.level === b.level && a.minor === b.minor;
}

export function isPrivileged(policy: Policy): boolean {
  return MODES.every((mode) => policy[mode].level === 'privileged');
}

/**
 * The policy that a namespace's labels ask for over the defaults. Labels that make no sense are told as faults, and count
 * as the strictest level where pods are enforced, as none where one only looks. A namespace that enforces more than it
 * warns about warns about that, too.
 */
export function policyOf(
  labels: Readonly<Record<string, string>> | undefined,
  defaults: Policy,
): { policy: Policy; faults: FieldError[] } {
  const policy: Record<Mode, LevelVersion> = { ...defaults };
  const faults: FieldError[] = [];
  const given = (label: string) => (labels && Object.hasOwn(labels, label) ? labels[label] : undefined);
  const fault = (label: string, value: string, text: string) =>
    faults.push(invalidValue(`metadata.labels[${label}]`, value, text));
  for (const mode of MODES) {
    let { level, minor } = policy[mode];
    const levelGiven = given(levelLabel(mode));
    if (levelGiven !== undefined) {
      level = parseLevel(levelGiven) ?? (mode === 'enforce' ? 'restricted' : 'privileged');
      if (!parseLevel(levelGiven)) fault(levelLabel(mode), levelGiven, NO_LEVEL);
    }
    const versionGiven = given(versionLabel(mode));
    if (versionGiven !== undefined) {
      minor = parseVersion(versionGiven) ?? Infinity;
      if (parseVersion(versionGiven) === undefined) fault(versionLabel(mode), versionGiven, NO_VERSION);
    }
    policy[mode] = { level, minor };
  }
  const { enforce, warn } = policy;
  const enforced = parseLevel(given(levelLabel('enforce')) ?? '');
  if (given(levelLabel('warn')) === undefined && enforced && compareLevels(enforce.level, warn.level) > 0) {
    const minor = given(versionLabel('warn')) === undefined ? enforce.minor : warn.minor;
    policy.warn = { level: enforce.level, minor };
  }
  return { policy, faults };
}
