import { expect, it } from 'vitest';
import { Outcome, seated, someone, wants } from './flow.suite.js';
import { MaxInFlight } from './max-in-flight.js';

const bob = someone('bob');
const get = wants(bob, 'get', 'pods');
const create = wants(bob, 'create', 'pods');

it('has separate limits for reads and writes, and refuses the rest', () => {
  const limiter = new MaxInFlight({ readOnly: 2, mutating: 1 });
  const first = seated(limiter.enter(get));
  limiter.enter(wants(bob, 'list', 'pods'));
  limiter.enter(create);
  expect(Outcome.of(() => limiter.enter(get)).now).toBe('429 1');
  expect(Outcome.of(() => limiter.enter(wants(bob, 'deletecollection', 'pods'))).now).toBe('429 1');
  expect(limiter.state().executing).toEqual({ readOnly: 2, mutating: 1 });
  first.release();
  first.release();
  expect(limiter.state().executing).toEqual({ readOnly: 1, mutating: 1 });
  expect(limiter.enter(get).flowSchemaUID).toBeUndefined();
});

it('leaves out whatever may last', () => {
  const limiter = new MaxInFlight({ readOnly: 1, mutating: 1 });
  for (let i = 0; i < 3; i++) {
    const seat = limiter.enter(wants(bob, 'watch', 'pods'));
    seat.initialized();
    limiter.enter(wants(bob, 'create', 'pods/exec', {}, { longRunning: true }));
  }
  expect(limiter.state().executing).toEqual({ readOnly: 0, mutating: 0 });
});

it('always lets in who may repair the cluster', () => {
  const limiter = new MaxInFlight({ readOnly: 1, mutating: 1 });
  limiter.enter(get);
  limiter.enter(wants(someone('root', 'system:masters'), 'get', 'pods')).release();
  expect(limiter.state().executing.readOnly).toBe(1);
});

it('0 is no limit', () => {
  const limiter = new MaxInFlight({ readOnly: 0, mutating: 0 });
  for (let i = 0; i < 1000; i++) limiter.enter(get);
  expect(limiter.enter(create)).toBeDefined();
  limiter.close();
});
