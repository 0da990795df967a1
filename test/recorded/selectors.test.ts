import { describe, expect, it } from 'vitest';
import { isJsonObject, type KubeObject } from '../../src/machinery/json.js';
import { parseFieldSelector } from '../../src/machinery/selectors/field-selector.js';
import { parseLabelSelector } from '../../src/machinery/selectors/label-selector.js';
import { goldenCases, haveGoldens } from '../support/goldens.js';

describe.runIf(haveGoldens)('selectors as recorded', () => {
  for (const suite of ['lists', 'crud']) {
    it(suite, async () => {
      let refused = 0;
      let listed = 0;
      for (const c of await goldenCases(suite)) {
        for (const [i, { query, answer }] of c.steps.entries()) {
          const where = `${c.name} [${i}] ${JSON.stringify(query)}`;
          if ((query.labelSelector === undefined && query.fieldSelector === undefined) || !isJsonObject(answer.body))
            continue;
          const message = String(answer.body.message);
          if (answer.code === 400 && /^(unable to parse|found '|invalid (field )?selector)/.test(message)) {
            const parse = (): void => {
              parseLabelSelector(query.labelSelector ?? '');
              parseFieldSelector(query.fieldSelector ?? '');
            };
            expect(parse, where).toThrow(expect.objectContaining({ message }));
            refused++;
          } else if (answer.code === 200 && Array.isArray(answer.body.items)) {
            const selector = parseLabelSelector(query.labelSelector ?? '');
            const items = answer.body.items as unknown as KubeObject[];
            for (const item of items) expect(selector.matches(item.metadata?.labels ?? {}), where).toBe(true);
            parseFieldSelector(query.fieldSelector ?? '');
            listed++;
          }
        }
      }
      expect(listed).toBeGreaterThan(10);
      expect(refused).toBeGreaterThan(suite === 'lists' ? 4 : 0);
    });
  }
});
