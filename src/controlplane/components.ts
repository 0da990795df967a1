import { get } from 'node:https';
import type { ComponentHealth, Components } from '../registry/subresources/component-status.js';

const TIMEOUT_MS = 2000;

/**
 * What componentstatuses asks: the two processes that upstream looks for beside the API server, and the storage.
 *
 * @param storage rejects when the storage does not answer
 */
export function components(storage: () => Promise<void>): Components {
  return {
    'controller-manager': () => ask('https://127.0.0.1:10257/healthz'),
    scheduler: () => ask('https://127.0.0.1:10259/healthz'),
    async 'etcd-0'() {
      try {
        await storage();
        return { healthy: true, message: 'ok' };
      } catch (e) {
        return { healthy: false, message: String(e) };
      }
    },
  };
}

/** Their certificates are made by themselves; nothing secret is sent, and only the status is believed. */
function ask(url: string): Promise<ComponentHealth> {
  return new Promise((resolve) => {
    const failed = (text: string) => resolve({ healthy: false, message: `Get "${url}": ${text}` });
    const request = get(url, { rejectUnauthorized: false, agent: false, timeout: TIMEOUT_MS }, (response) => {
      response.resume();
      const healthy = response.statusCode === 200;
      resolve({ healthy, message: healthy ? 'ok' : `unexpected status ${response.statusCode}` });
    });
    request.on('timeout', () => request.destroy(new Error('i/o timeout')));
    request.on('error', (e: NodeJS.ErrnoException) => {
      const host = new URL(url).host;
      failed(e.code === 'ECONNREFUSED' ? `dial tcp ${host}: connect: connection refused` : e.message);
    });
  });
}
