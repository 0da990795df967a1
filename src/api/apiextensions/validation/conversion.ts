import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  type Path,
  required,
} from '../../../machinery/field.js';
import { ptr, str } from '../../access.js';
import { formats } from '../../validation/index.js';
import type { InternalConversion } from './internal.js';
import { caBundleFault, webhookServiceFaults, webhookUrlFaults } from './webhook-client.js';

const STRATEGIES = ['None', 'Webhook'];
/** Versions of ConversionReview that this server speaks. */
const REVIEW_VERSIONS = ['v1', 'v1beta1'];

export interface ConversionDemands {
  /** One of the review versions must be known. */
  readonly knownReviewVersion: boolean;
  readonly goodCaBundle: boolean;
}

export function conversionFaults(
  conversion: InternalConversion | undefined,
  at: Path,
  demands: ConversionDemands,
): FieldError[] {
  if (!conversion) return [];
  const { strategy, clientConfig, reviewVersions } = conversion;
  const errors: FieldError[] = [];
  const strategyAt = at.child('strategy');
  if (strategy === '') errors.push(required(strategyAt));
  else if (!STRATEGIES.includes(strategy)) errors.push(notSupported(strategyAt, strategy, STRATEGIES));
  const configAt = at.child('webhookClientConfig');
  const versionsAt = at.child('conversionReviewVersions');
  if (strategy === 'Webhook') {
    errors.push(...clientConfigFaults(clientConfig, configAt, demands.goodCaBundle));
    errors.push(...reviewVersionFaults(reviewVersions, versionsAt, demands.knownReviewVersion));
  } else {
    const text = 'should not be set when strategy is not set to Webhook';
    if (clientConfig) errors.push(forbiddenField(configAt, text));
    if (reviewVersions.length > 0) errors.push(forbiddenField(versionsAt, text));
  }
  return errors;
}

function clientConfigFaults(config: InternalConversion['clientConfig'], at: Path, goodCaBundle: boolean): FieldError[] {
  if (!config) return [required(at, 'required when strategy is set to Webhook')];
  const service = ptr(config, 'service');
  const { url } = config;
  const errors: FieldError[] = [];
  if ((typeof url === 'string') === (service !== undefined)) {
    errors.push(required(at, 'exactly one of url or service is required'));
  } else if (typeof url === 'string') errors.push(...webhookUrlFaults(url, at.child('url')));
  else if (service) errors.push(...webhookServiceFaults(service, at.child('service')));
  const bundle = str(config, 'caBundle');
  const fault = bundle !== '' && goodCaBundle ? caBundleFault(bundle) : undefined;
  if (fault) errors.push(invalidValue(at.child('caBundle'), bundle, fault));
  return errors;
}

function reviewVersionFaults(versions: readonly string[], at: Path, known: boolean): FieldError[] {
  if (versions.length === 0) return [required(at)];
  const errors: FieldError[] = [];
  for (const [i, version] of versions.entries()) {
    if (versions.indexOf(version) < i) errors.push(invalidValue(at.index(i), version, 'duplicate version'));
    else for (const text of formats.dns1035Label(version)) errors.push(invalidValue(at.index(i), version, text));
  }
  if (known && !hasKnownReviewVersion(versions)) {
    errors.push(invalidValue(at, [...versions], `must include at least one of ${REVIEW_VERSIONS.join(', ')}`));
  }
  return errors;
}

export function hasKnownReviewVersion(versions: readonly string[]): boolean {
  return versions.some((v) => REVIEW_VERSIONS.includes(v));
}
