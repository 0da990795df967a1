import { describe, expect, it } from 'vitest';
import { requestInfo } from './request-info.js';

const info = (path: string, query = '', method = 'GET') => requestInfo(method, path, new URLSearchParams(query));

describe('requests', () => {
  it.each([
    ['/api/v1/pods', 'list', '', 'pods', ''],
    ['/api/v1/namespaces', 'list', '', 'namespaces', ''],
    ['/api/v1/namespaces/x', 'get', 'x', 'namespaces', 'x'],
    ['/api/v1/namespaces/x/status', 'get', 'x', 'namespaces', 'x'],
    ['/api/v1/namespaces/x/pods', 'list', 'x', 'pods', ''],
    ['/apis/apps/v1/namespaces/x/deployments/d/', 'get', 'x', 'deployments', 'd'],
    ['//api/v1/pods/', 'list', '', 'pods', ''],
    // Nothing between two slashes is a namespace without a name: all of them.
    ['/api/v1/namespaces//pods', 'list', '', 'pods', ''],
  ])('%s', (path, verb, namespace, resource, name) => {
    expect(info(path)).toMatchObject({ isResourceRequest: true, verb, namespace, resource, name });
  });

  it.each(['/', '/api', '/api/v1', '/apis/apps/v1', '/healthz', '', '/api/v1/watch'])(
    '%s is about no resource',
    (path) => {
      expect(info(path).isResourceRequest).toBe(false);
    },
  );

  it('does not take what is between two slashes for nothing', () => {
    expect(info('/api//v1')).toMatchObject({ version: '', resource: 'v1' });
  });

  it('knows paths that begin with their verb', () => {
    expect(info('/api/v1/watch/pods', 'fieldSelector=a=b')).toMatchObject({ verb: 'watch', verbInPath: true });
    expect(info('/api/v1/pods', 'watch=1')).toMatchObject({ verb: 'watch', verbInPath: false });
    expect(info('/api/v1/pods', 'watch=false').verb).toBe('list');
  });

  it('authorizes a list of one object under its name', () => {
    expect(info('/api/v1/pods', 'fieldSelector=metadata.name=x').name).toBe('x');
    expect(info('/api/v1/pods', 'fieldSelector=metadata.name!=x').name).toBe('');
    expect(info('/api/v1/pods', 'fieldSelector=metadata.name=a/b').name).toBe('');
  });
});
