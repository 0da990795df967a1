import type { Clock } from '../../storage/clock.js';
import type { ObjectFeed, ObjectLookup } from '../authorization/feed.js';
import type { FileSource, LabelSecret, Log } from './contract.js';
import type { HttpConnector } from './http.js';
import type { ExpressionCompiler } from './oidc/expressions.js';

/** What authentication needs of the world. */
export interface AuthenticationDependencies {
  readonly clock: Clock;
  readonly random: (bytes: number) => Buffer;
  readonly uuid: () => string;
  readonly files: FileSource;
  /** Live objects: service accounts, secrets, pods, nodes. */
  readonly objects: ObjectLookup;
  /** With it, cached tokens end with a change of what they are bound to; without, within ten seconds. */
  readonly feed?: ObjectFeed;
  readonly connect: HttpConnector;
  readonly log: Log;
  readonly labelSecret?: LabelSecret;
  readonly expressions?: ExpressionCompiler;
  /** Called when the authorities that clients may come from have changed: `clientCaPem` is another one. */
  readonly clientCaChanged?: () => void;
}

export const sleepOn = (clock: Clock, ms: number): Promise<void> =>
  new Promise((wake) => {
    clock.setTimeout(wake, ms);
  });
