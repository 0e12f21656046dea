import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from '../../errors.ts'
import { markLength } from '../../core/charset.ts'
import { contentCodings } from '../../core/content-coding.ts'
import { maxDepth } from '../../core/schema/depth.ts'
import { runSlicedSteps } from '../../core/sliced.ts'
import { excessOf } from '../../core/json/excess.ts'
import { hasDoubtful } from '../../core/json/integers.ts'
import { parseExactInSteps } from '../../core/json/parse.ts'
import type { InboundBodies } from './inbound-bodies.ts'
import { receiveBody } from './receive-body.ts'
import { transferEncodingProblem } from '../request/transfer-encoding.ts'

/**
 * Size from which a body is parsed in one event-loop turn and used in a later turn, in bytes. Both together would block
 * the event loop for too long: an attacker can send a body that costs 50 ms in each turn.
 */
const largeBytes = 128 * 1024

/** The largest number of values in one body. Items of lists and fields of objects are values. */
export const maxBodyValues = 100_000

/** The message for both faults, since Fastify's parser has the same error for malformed JSON and for these keys. */
const notJson = 'The body is not valid JSON, or has the key __proto__ or a key prototype within constructor.'

const refusals = {
  depth: () =>
    new Problem('INPUT_INVALID', {
      detail: 'One part of the input cannot be read: see errors.',
      faults: [{ pointer: '/body', reason: `is nested deeper than ${maxDepth}` }],
    }),
  values: () =>
    new Problem('PAYLOAD_TOO_LARGE', {
      detail: `The body has more than ${maxBodyValues} values (items of lists and fields of objects).`,
    }),
}

/** Accepts JSON bodies only. Bytes that are not UTF-8 are refused; Fastify would replace them. */
export function acceptJsonBodies(app: FastifyInstance, bodies: InboundBodies): void {
  // This hook runs after a method without a route was refused, and before the body is read.
  app.addHook('preParsing', ({ raw }, _reply, payload, done) => {
    if (contentCodings(raw.headers['content-encoding']) === undefined)
      done(transferEncodingProblem(raw) ?? null, payload)
    else
      done(
        new Problem('UNSUPPORTED_MEDIA_TYPE', {
          detail: 'The service accepts no content coding of a body: remove content-encoding.',
        }),
      )
  })
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(/^application\/(?:[\w.+-]+\+)?json(?:$|[ \t]*;)/i, (request, payload, done) => {
    receiveBody(request.raw, payload, { bodies, limit: request.routeOptions.bodyLimit }, (error, body) => {
      if (error !== null) done(error)
      else if ((body as Buffer).length < largeBytes) finish(parseInSteps(request, body as Buffer), done)
      else parseLater(request, body as Buffer, done)
    })
  })

  function parseLater(request: FastifyRequest, body: Buffer, done: Done): void {
    bodies.hold(body.length)
    let steps: Generator<undefined, unknown, undefined> | undefined
    let use: (() => void) | undefined
    runSlicedSteps(() => {
      if (use !== undefined) {
        use()
        return false
      }
      if (steps === undefined) {
        bodies.hold(-body.length)
        steps = parseInSteps(request, body)
      }
      next(steps, (...parsed) => {
        use = () => {
          done(...parsed)
        }
      })
      return true
    })
  }

  /** Parses a body in steps. No step takes much longer than `JSON.parse`. Throws a `Problem`. */
  function* parseInSteps(request: FastifyRequest, body: Buffer): Generator<undefined, unknown, undefined> {
    if (body.length === 0) return undefined
    if (!isUtf8(body)) throw new Problem('BAD_REQUEST', { detail: 'The body is not UTF-8.' })
    const text = body.toString('utf8', markLength(body))
    const excess = excessOf(text, maxBodyValues)
    if (excess !== undefined) throw refusals[excess]()
    let value: unknown
    void parse(request, text, (error, parsed) => {
      if (error !== null) throw new Problem('BAD_REQUEST', { detail: notJson, cause: error })
      value = parsed
    })
    if (!hasDoubtful(value)) return value
    yield
    return yield* parseExactInSteps(text)
  }
}

type Done = (error: Error | null, value?: unknown) => void

/**
 * Takes one step. After the last step it calls `done` with the value or the error. Returns whether there is another
 * step.
 */
function next(steps: Generator<undefined, unknown, undefined>, done: Done): boolean {
  let step
  try {
    step = steps.next()
  } catch (error) {
    done(error as Error)
    return false
  }
  if (step.done === true) done(null, step.value)
  return step.done !== true
}

function finish(steps: Generator<undefined, unknown, undefined>, done: Done): void {
  while (next(steps, done));
}
