/** One named check. It fails by throwing (or rejecting); the message is logged, never shown to clients. */
export interface HealthCheck {
  readonly name: string;
  check(): Promise<void> | void;
}

export type HealthEndpoint = 'healthz' | 'livez' | 'readyz';
