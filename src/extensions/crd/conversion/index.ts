import type { WebhookClientConfig } from '../../../admission/webhook/client/client.js';
import { obj, ptr, strings } from '../../../api/access.js';
import type { Definition } from '../definition.js';
import { betweenVersions, type Converter, NO_CONVERSION } from './converter.js';
import { type WebhookConverterDeps, webhookConverter } from './webhook.js';

/** How a definition wants its objects converted. */
export function converterOf(definition: Definition, deps: WebhookConverterDeps): Converter {
  const conversion = obj(definition.spec, 'conversion');
  const webhook = conversion.strategy === 'Webhook' ? ptr(conversion, 'webhook') : undefined;
  const converter = webhook
    ? webhookConverter(
        {
          config: obj(webhook, 'clientConfig') as WebhookClientConfig,
          reviewVersions: strings(webhook, 'conversionReviewVersions'),
        },
        deps,
      )
    : NO_CONVERSION;
  return betweenVersions(
    converter,
    definition.versions.map((v) => `${definition.group}/${v.name}`),
  );
}
