import type { SourcesLevel } from '../../fanout/sources-level.ts'
import type { Components } from './components.ts'
import { header } from './response-headers.ts'
import { problemResponse } from './problem-responses.ts'

/**
 * Returns the paths of the health routes. They require no API key.
 *
 * @param sources The part of the outcomes that callers of the service see.
 */
export function healthPaths(
  components: Components,
  bearer: boolean,
  sources: SourcesLevel,
): Readonly<Record<string, object>> {
  const headers = { 'x-request-id': header('RequestId', components), 'cache-control': header('NotStored', components) }
  const state = (value: string) => ({
    'application/json': {
      schema: { type: 'object', properties: { status: { type: 'string', const: value } }, required: ['status'] },
      example: { status: value },
    },
  })
  const readiness = (value: string) => ({
    'application/json': {
      schema: {
        type: 'object',
        properties: {
          status: { type: 'string', const: value },
          lostLogLines: {
            type: 'integer',
            minimum: 0,
            description:
              'The number of log lines that could not be written since the process started; with several ' +
              'workers, of all workers. Absent if the service does not write the log itself.',
          },
          definitions: {
            type: 'object',
            description: 'The definitions that are served. Absent if the app does not reload definitions.',
            properties: {
              loadedAt: { type: 'string', format: 'date-time', description: 'When they were loaded.' },
              refused: {
                type: 'object',
                description: 'The last reload, if it was refused. The service log has the faults.',
                properties: {
                  at: { type: 'string', format: 'date-time' },
                  faults: { type: 'integer', minimum: 1, description: 'The number of faults.' },
                },
                required: ['at', 'faults'],
              },
            },
            required: ['loadedAt'],
          },
        },
        required: ['status'],
      },
      example: { status: value, lostLogLines: 0 },
    },
  })
  const open = bearer ? { security: [] } : {}
  const others = {
    '4XX': problemResponse('4XX', components, sources),
    500: problemResponse(500, components, sources),
  }
  return {
    '/health/live': {
      get: {
        operationId: 'healthLive',
        ...open,
        summary: 'Whether the service runs',
        description: 'Replies 200 while the process runs. Calls no upstream.',
        tags: ['Health'],
        responses: { 200: { description: 'The service runs.', headers, content: state('live') }, ...others },
      },
    },
    '/health/ready': {
      get: {
        operationId: 'healthReady',
        ...open,
        summary: 'Whether the service accepts requests',
        description: 'Calls no upstream: an upstream that is down does not make the service unready.',
        tags: ['Health'],
        responses: {
          200: { description: 'The service accepts requests.', headers, content: readiness('ready') },
          ...others,
          503: {
            description: 'The service is shutting down and refuses new requests.',
            headers: { ...headers, 'retry-after': header('RetryAfter', components) },
            content: readiness('draining'),
          },
        },
      },
    },
  }
}
