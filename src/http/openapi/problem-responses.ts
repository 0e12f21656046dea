import { Problem, toProblem, UpstreamError } from '../../errors.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import { shownProblem } from '../reply/shown-problem.ts'
import type { Components } from './components.ts'
import { header } from './response-headers.ts'
import type { JsonSchema } from './schema-types.ts'
import { problemSchemas } from './problem-schema.ts'

interface Kind {
  /** The component's name. */
  readonly name: string
  readonly description: string
  readonly example: Problem
}

const kinds = {
  400: {
    name: 'BadRequest',
    description: 'The request is malformed, or its input is invalid: `errors` has every fault.',
    example: new Problem('INPUT_INVALID', {
      detail: 'One part of the input cannot be read: see errors.',
      faults: [
        {
          pointer: '/headers/x-request-timeout-ms',
          reason: 'must be a whole number of milliseconds with at most 9 digits',
        },
      ],
    }),
  },
  401: {
    name: 'NotAuthenticated',
    description: 'The request has no API key or an invalid one: see `www-authenticate`.',
    example: new Problem('UNAUTHENTICATED'),
  },
  406: {
    name: 'NotAcceptable',
    description: 'The `accept` header allows no representation of the resource.',
    example: new Problem('NOT_ACCEPTABLE'),
  },
  413: { name: 'PayloadTooLarge', description: 'The body is too large.', example: new Problem('PAYLOAD_TOO_LARGE') },
  415: {
    name: 'UnsupportedMediaType',
    description: 'The body is not declared as JSON.',
    example: new Problem('UNSUPPORTED_MEDIA_TYPE'),
  },
  429: {
    name: 'TooManyRequests',
    description: 'The client exceeds its rate limit: retry after `retry-after` seconds.',
    example: new Problem('RATE_LIMITED', { retryAfterSeconds: 30 }),
  },
  '4XX': {
    name: 'Refused',
    description:
      'The request is refused for another reason: see `detail`. For example, ' +
      '404 means that the resource does not exist.',
    example: new Problem('REFUSED', { status: 404, detail: 'The resource does not exist.' }),
  },
  500: {
    name: 'InternalError',
    description: 'The service has a bug.',
    example: toProblem(undefined),
  },
  502: {
    name: 'BadGateway',
    description: 'A required upstream is unreachable, or its response is an error or invalid.',
    example: toProblem(new UpstreamError('UPSTREAM_UNREACHABLE', 'some-upstream'), 'first'),
  },
  503: {
    name: 'ServiceUnavailable',
    description: 'The service or a required upstream is overloaded: retry after `retry-after` seconds.',
    example: toProblem(new UpstreamError('UPSTREAM_BUSY', 'some-upstream', { upstreamStatus: 429 }), 'first'),
  },
  504: {
    name: 'GatewayTimeout',
    description: 'The deadline passed, or the timeout of a required call or step.',
    example: toProblem(new UpstreamError('UPSTREAM_TIMEOUT', 'some-upstream'), 'first'),
  },
} as const satisfies Record<string, Kind>

/** The statuses of problem replies. */
export type ProblemStatus = keyof typeof kinds

/** Returns the description of the problems of the service with a status. */
export function kindOf(status: number): { readonly description: string } | undefined {
  return Object.hasOwn(kinds, status) ? kinds[status as keyof typeof kinds] : undefined
}

/** Returns the headers of the problems with a status. */
export function problemHeaders(status: number | string, components: Components): object {
  return {
    'x-request-id': header('RequestId', components),
    ...((status === 429 || status === 503) && { 'retry-after': header('RetryAfter', components) }),
  }
}

/** Returns the content of a problem response. */
export function documentedProblem(schema: JsonSchema, example?: object): JsonSchema {
  return { 'application/problem+json': { schema, ...(example !== undefined && { example }) } }
}

/**
 * Returns a reference to the response of one status, which all operations share.
 *
 * @param level The part of the sources that callers see.
 */
export function problemResponse(status: ProblemStatus, components: Components, level: SourcesLevel): JsonSchema {
  const { name, description, example }: Kind = kinds[status]
  const { suffix, own } = problemSchemas[level]
  return components.shared('responses', name + suffix, () => ({
    description,
    headers: problemHeaders(status, components),
    content: documentedProblem(components.schema(own, 'output', 'the problems'), {
      ...shownProblem(example, level).toJSON(),
      instance: 'urn:headwaters:request:7e1a3b52-5f0e-4c43-9a53-0d6a4c1b2f10',
    }),
  }))
}
