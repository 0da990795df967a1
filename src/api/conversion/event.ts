import type { ConverterTable } from './index.js';
import { renaming } from './rename.js';

/** The same events are served in two groups; the newer one renamed what was there and calls some of it deprecated. */
const { there, back } = renaming([
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
  ['reportingComponent', 'reportingController'],
]);

export const event: ConverterTable = { 'v1→events.k8s.io/v1': there, 'events.k8s.io/v1→v1': back };
