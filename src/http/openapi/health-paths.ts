import type { Components } from './components.ts'
import { header } from './response-headers.ts'
import { problemResponse } from './problem-responses.ts'

/** What the service tells of itself, to everybody, also where aggregates are for those who have a key. */
export function healthPaths(components: Components, bearer: boolean): Readonly<Record<string, object>> {
  const headers = { 'x-request-id': header('RequestId', components), 'cache-control': header('NotStored', components) }
  const state = (value: string) => ({
    'application/json': {
      schema: { type: 'object', properties: { status: { type: 'string', const: value } }, required: ['status'] },
      example: { status: value },
    },
  })
  const ofReadiness = (value: string) => ({
    'application/json': {
      schema: {
        type: 'object',
        properties: {
          status: { type: 'string', const: value },
          lostLogLines: {
            type: 'integer',
            minimum: 0,
            description:
              'Lines of the log that could not be written since the process started; with several workers, the lines of all of them. Only where the service writes the log itself.',
          },
        },
        required: ['status'],
      },
      example: { status: value, lostLogLines: 0 },
    },
  })
  const open = bearer ? { security: [] } : {}
  const others = { '4XX': problemResponse('4XX', components), 500: problemResponse(500, components) }
  return {
    '/health/live': {
      get: {
        operationId: 'healthLive',
        ...open,
        summary: 'Whether the service runs',
        description: 'Answers as long as the process does; asks no upstream.',
        tags: ['Health'],
        responses: { 200: { description: 'It runs.', headers, content: state('live') }, ...others },
      },
    },
    '/health/ready': {
      get: {
        operationId: 'healthReady',
        ...open,
        summary: 'Whether the service takes work',
        description: 'Asks no upstream: one that is down does not make the service unready.',
        tags: ['Health'],
        responses: {
          200: { description: 'It takes work.', headers, content: ofReadiness('ready') },
          ...others,
          503: {
            description: 'It is shutting down and takes no new work.',
            headers: { ...headers, 'retry-after': header('RetryAfter', components) },
            content: ofReadiness('draining'),
          },
        },
      },
    },
  }
}
