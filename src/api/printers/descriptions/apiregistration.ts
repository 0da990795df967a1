import type { Descriptions } from '../contract.js';

export const apiregistration: Descriptions = {
  APIService: {
    Service: 'The reference to the service that hosts this API endpoint.',
    Available: 'Whether this service is available.',
  },
};
