import { WebhookClient } from '../admission/webhook/client/client.js';
import { serviceResolver } from '../admission/webhook/client/service-resolver.js';
import type { LocalClient } from '../registry/local-client.js';
import { systemClock } from '../storage/clock.js';

/** How this server calls webhooks of admission and of conversion. Connections are shared; close it at the end. */
export function openWebhookClient(client: LocalClient): WebhookClient {
  return new WebhookClient({ resolve: serviceResolver(client, Math.random), clock: systemClock });
}
