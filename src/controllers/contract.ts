import type { Environment } from '../registry/context.js';
import type { LocalClient } from '../registry/local-client.js';
import type { ResourceTable } from '../registry/resource-table.js';

/** What a loop works with. */
export interface ControllerParts {
  readonly client: LocalClient;
  readonly table: ResourceTable;
  readonly env: Environment;
  readonly log: (level: 'info' | 'warning' | 'error', message: string) => void;
}

/** A loop that brings the world to what objects ask for. */
export interface Controller {
  /** As `--controllers` names it; kube-controller-manager's names. */
  readonly name: string;
  /** Settles when the loop has seen everything there is. */
  start(): Promise<void>;
  /** No write happens after it settles. */
  stop(): Promise<void>;
}
