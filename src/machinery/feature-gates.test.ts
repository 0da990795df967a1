import { describe, expect, it } from 'vitest';
import { FeatureGates } from './feature-gates.js';

describe('FeatureGates', () => {
  it('has the defaults of the release', () => {
    const gates = new FeatureGates();
    expect(gates.enabled('APIResponseCompression')).toBe(true);
    expect(gates.enabled('CBORServingAndStorage')).toBe(false);
  });
  it('takes settings, and whole stages', () => {
    expect(new FeatureGates({ CBORServingAndStorage: 'true' }).enabled('CBORServingAndStorage')).toBe(true);
    const gates = new FeatureGates({ AllAlpha: 'true', CBORServingAndStorage: 'false' });
    expect(gates.enabled('CBORServingAndStorage')).toBe(false);
  });
  it.each([
    [{ Nonsense: 'true' }, 'unrecognized feature gate: Nonsense'],
    [{ APIServerTracing: 'false' }, 'cannot set feature gate APIServerTracing to false, feature is locked to true'],
    [{ AllAlpha: 'maybe' }, 'invalid value of AllAlpha'],
  ])('refuses %j', (settings, message) => {
    expect(() => new FeatureGates(settings as Record<string, string>)).toThrow(message);
  });
});
