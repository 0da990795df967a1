/** One named check. It fails by throwing (or rejecting); only who may read the check's own path sees the message. */
export interface HealthCheck {
  readonly name: string;
  check(): Promise<void> | void;
}

export type HealthEndpoint = 'healthz' | 'livez' | 'readyz';

/** The checks of each endpoint in the order in which they are shown. */
export type HealthChecks = Readonly<Record<HealthEndpoint, readonly HealthCheck[]>>;
