import { randomBytes } from 'node:crypto';
import type { GroupResource } from '../../machinery/errors.js';
import type { KubeObject } from '../../machinery/json.js';
import type { ObjectChange } from '../authorization/feed.js';
import type { Credentials } from '../contract.js';
import { NOW } from '../pki/fixtures.suite.js';
import type { FileSource } from './contract.js';
import type { AuthenticationDependencies } from './dependencies.js';

// A world for authentication tests: objects, files and a clock that only move when told to.

export { HOUR, NOW } from '../pki/fixtures.suite.js';

export interface World extends AuthenticationDependencies {
  at: number;
  readonly logs: string[];
  readonly texts: Map<string, string>;
  readonly stored: Map<string, KubeObject>;
  /** Replaces an object and tells the feed; undefined deletes it. */
  put(resource: string, namespace: string, name: string, object: KubeObject | undefined): void;
  /** Replaces a file and tells who watches it. */
  change(path: string, text: string): void;
  lookUps: number;
}

export function makeWorld(over: Partial<AuthenticationDependencies> = {}): World {
  const watchers = new Map<string, (() => void)[]>();
  const observers = new Map<string, ((change: ObjectChange) => void)[]>();
  let ids = 0;
  const files: FileSource = {
    read(path) {
      const text = world.texts.get(path);
      if (text === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
      return Buffer.from(text);
    },
    watch(path, changed) {
      watchers.set(path, [...(watchers.get(path) ?? []), changed]);
      return () =>
        watchers.set(
          path,
          (watchers.get(path) ?? []).filter((one) => one !== changed),
        );
    },
  };
  const world: World = {
    at: NOW,
    logs: [],
    texts: new Map(),
    stored: new Map(),
    lookUps: 0,
    clock: {
      now: () => world.at,
      setTimeout(callback) {
        const timer = setImmediate(callback);
        return { cancel: () => clearImmediate(timer) };
      },
    },
    random: randomBytes,
    uuid: () => `id-${++ids}`,
    files,
    objects: {
      get({ resource }: GroupResource, namespace, name) {
        world.lookUps++;
        return world.stored.get(`${resource}/${namespace}/${name}`);
      },
    },
    feed: {
      async subscribe({ resource }, observer) {
        observers.set(resource, [...(observers.get(resource) ?? []), observer]);
        return () => observers.delete(resource);
      },
    },
    connect: () => {
      throw new Error('no network here');
    },
    log: (level, message) => world.logs.push(`${level}: ${message}`),
    put(resource, namespace, name, object) {
      const key = `${resource}/${namespace}/${name}`;
      const old = world.stored.get(key);
      if (object) world.stored.set(key, object);
      else world.stored.delete(key);
      const change = { type: object ? (old ? 'MODIFIED' : 'ADDED') : 'DELETED', object: object ?? old! } as const;
      for (const observer of observers.get(resource) ?? []) observer(change);
    },
    change(path, text) {
      world.texts.set(path, text);
      for (const changed of watchers.get(path) ?? []) changed();
    },
    ...over,
  };
  return world;
}

export const nobody: Credentials = { authorization: undefined, headers: {}, path: '/api', peerCertificate: undefined };
export const bearer = (token: string): Credentials => ({ ...nobody, authorization: `Bearer ${token}` });
