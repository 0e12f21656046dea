import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readMatcher, type Match, type Matcher } from './matcher.ts'
import { receive, type ReceivedCall } from './received-call.ts'
import { reset } from '../demo-upstreams/reset.ts'
import { answering, garbage, hang, malformed, type ResponseAction, type Script } from './script.ts'

/** A real server on loopback that answers by a script. */
export interface ScriptedUpstream extends Script, AsyncDisposable {
  readonly origin: string
  /** Every call so far, in the order of arrival. */
  readonly calls: readonly ReceivedCall[]
  /** Calls for which nothing was queued; they were answered with 501. */
  readonly unexpected: readonly ReceivedCall[]
  /** What is queued and was not asked for. */
  readonly unused: readonly string[]
  /** Waits until so many calls have come, and gives them; rejects when it is closed before. */
  called(count: number): Promise<readonly ReceivedCall[]>
  /** Ends at once, with every call that hangs. */
  close(): Promise<void>
}

interface Line {
  readonly match: Match
  readonly act: ResponseAction
}

/**
 * Starts an upstream for a test. What is queued first is used first, and the last `always` that fits is the one that
 * counts.
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
    return answering({ message: `nothing is queued for ${call.method} ${call.path}` }, { status: 501 })
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
        // The call was cut while it was being sent, so it has not come.
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
