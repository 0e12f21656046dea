import { EventEmitter, once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from '../core/node-http.ts'
import { readMatcher, type Match, type Matcher } from './matcher.ts'
import { receive, type ReceivedCall } from './received-call.ts'
import { reset } from '../demo-upstreams/reset.ts'
import { answering, garbage, hang, malformed, type ResponseAction, type Script } from './script.ts'

/**
 * An HTTP server on 127.0.0.1 that answers by a script.
 *
 * @example
 * ```ts
 * import { scriptedUpstream } from 'headwaters/testing'
 *
 * await using upstream = await scriptedUpstream()
 * upstream.status('GET /fact', 503).answer('GET /fact', { fact: 'They purr.' }, { delay: 20 })
 * await fetch(`${upstream.origin}/fact`)
 * const [first] = await upstream.called(1)
 * console.log(first?.path, upstream.unused) // '/fact' [ 'GET /fact' ]
 * ```
 */
export interface ScriptedUpstream extends Script, AsyncDisposable {
  /** The origin, `http://127.0.0.1:` and the port. */
  readonly origin: string
  /** The calls that were received, in the order of arrival. */
  readonly calls: readonly ReceivedCall[]
  /** The calls for which the script has no line. They were answered with 501. */
  readonly unexpected: readonly ReceivedCall[]
  /** The method and the path of each line that was not used, without the lines of `always`. */
  readonly unused: readonly string[]
  /**
   * Waits until a number of calls were received.
   *
   * @param count The number of calls.
   * @returns The first `count` calls.
   * @throws `Error` if the upstream is closed first.
   */
  called(count: number): Promise<readonly ReceivedCall[]>
  /** Closes the server and all its connections immediately. */
  close(): Promise<void>
}

interface Line {
  readonly match: Match
  readonly act: ResponseAction
}

/**
 * Starts an upstream for a test on a free port of 127.0.0.1.
 *
 * @returns The upstream, which listens.
 * @throws `Error` if the server cannot listen.
 * @example
 * ```ts
 * import { scriptedUpstream } from 'headwaters/testing'
 *
 * await using upstream = await scriptedUpstream()
 * upstream.always('/fact', { fact: 'They purr.' })
 * ```
 */
export async function scriptedUpstream(): Promise<ScriptedUpstream> {
  const queue: Line[] = []
  const defaults: Line[] = []
  const calls: ReceivedCall[] = []
  const unexpected: ReceivedCall[] = []
  const changes = new EventEmitter().setMaxListeners(0)
  let closed: Promise<void> | undefined

  function next(call: ReceivedCall): ResponseAction {
    const at = queue.findIndex(({ match }) => match.fits(call))
    const line = at === -1 ? defaults.findLast(({ match }) => match.fits(call)) : queue.splice(at, 1)[0]
    if (line !== undefined) return line.act
    unexpected.push(call)
    return answering({ message: `no answer is queued for ${call.method} ${call.path}` }, { status: 501 })
  }

  const server = createServer((request, response) => {
    receive(request).then(
      call => {
        calls.push(call)
        const act = next(call)
        changes.emit('change')
        act(response)
      },
      () => {
        // The connection was closed before the whole request had arrived, so the call does not count as received.
      },
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const add = (calls: Matcher, act: ResponseAction) => {
    queue.push({ match: readMatcher(calls), act })
  }
  const upstream: ScriptedUpstream = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    unexpected,
    get unused() {
      return queue.map(({ match }) => match.name)
    },
    answer(calls, value, options = {}) {
      add(calls, answering(value, options))
      return upstream
    },
    always(calls, value, options = {}) {
      defaults.push({ match: readMatcher(calls), act: answering(value, options) })
      return upstream
    },
    status(calls, status, { body = {}, ...options } = {}) {
      add(calls, answering(body, { ...options, status }))
      return upstream
    },
    reset(calls = '*') {
      add(calls, reset)
      return upstream
    },
    hang(calls = '*') {
      add(calls, hang)
      return upstream
    },
    garbage(calls = '*') {
      add(calls, garbage)
      return upstream
    },
    malformed(calls = '*') {
      add(calls, malformed)
      return upstream
    },
    async called(count) {
      while (calls.length < count) {
        if (closed !== undefined) throw new Error(`the upstream was closed after ${calls.length} of ${count} calls`)
        await once(changes, 'change')
      }
      return calls.slice(0, count)
    },
    close() {
      closed ??= new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
      changes.emit('change')
      return closed
    },
    [Symbol.asyncDispose]: () => upstream.close(),
  }
  return upstream
}
