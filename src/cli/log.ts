import { FlagError } from './pflag.js';

export type Log = (level: 'info' | 'warning' | 'error', message: string) => void;

export interface LogOptions {
  /** `text`, the default, or `json`: one object a line. */
  readonly format?: string;
  /** From 1 on information is written, too; below it warnings and errors only. Default 0. */
  readonly verbosity?: number;
  /** Milliseconds since 1970. */
  now(): number;
  write(line: string): void;
}

/** @throws FlagError for a format that is unknown */
export function makeLog({ format = 'text', verbosity = 0, now, write }: LogOptions): Log {
  if (format !== 'text' && format !== 'json') {
    throw new FlagError(`--logging-format ${JSON.stringify(format)} is not supported: text or json`);
  }
  return (level, message) => {
    if (level === 'info' && verbosity < 1) return;
    if (format === 'json') write(`${JSON.stringify({ ts: now(), level, msg: message })}\n`);
    else write(`porthole: ${level}: ${message}\n`);
  };
}
