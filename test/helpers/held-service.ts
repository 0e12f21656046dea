import { EventEmitter } from 'node:events'
import { UpstreamError } from '../../src/errors.ts'
import type { LiveCall } from '../../src/upstream/call/live-call.ts'
import type { ResponseHeaders } from '../../src/upstream/transport/response-headers.ts'
import type { Answer, Service } from '../../src/upstream/call/layer.ts'
import { requestHeaders } from '../../src/upstream/transport/dispatch.ts'
import { Listener } from './listener.ts'
import { untilEvent } from './until.ts'

/** A call that a held service has taken and not yet ended. */
export interface HeldCall {
  readonly call: LiveCall<unknown>
  /** With headers it is as it came from the wire. */
  readonly answer: (value?: unknown, status?: number, head?: ResponseHeaders) => void
  readonly fail: (error: unknown) => void
}

/** A service that answers when the test says so, and stops a call whose caller gives it up. */
export interface HeldService {
  readonly service: Service
  /** What is under way, oldest first. */
  readonly held: HeldCall[]
  /** How many were ever taken. */
  readonly taken: number
  /** Resolves when as many as that were taken. */
  readonly arrived: (count: number) => Promise<void>
}

const headersOf = requestHeaders()

export function heldService(): HeldService {
  const arrivals = new EventEmitter()
  const held: HeldCall[] = []
  let taken = 0

  const service: Service = <T>(call: LiveCall<T>) => {
    if (call.abort.aborted) return Promise.reject(call.abort.reason)
    taken++
    return new Promise<Answer<T>>((resolve, reject) => {
      const end = () => {
        call.abort.delete(ear)
        const at = held.indexOf(entry)
        if (at !== -1) held.splice(at, 1)
      }
      const entry: HeldCall = {
        call,
        answer(value, status = 200, head) {
          end()
          if (!call.spec.safe && status < 400) call.effort.changed = head ?? {}
          const body = Buffer.from(JSON.stringify(value ?? ''))
          resolve({
            value: value as T,
            status,
            ...(head && {
              received: {
                head: { 'content-length': String(body.length), ...head },
                body,
                value,
                request: { headers: headersOf(call), layerHeaders: call.headers },
              },
            }),
          })
        },
        fail(error) {
          end()
          if (error instanceof UpstreamError && error.code === 'OUTCOME_UNKNOWN') call.effort.changed = {}
          reject(error)
        },
      }
      const ear = new Listener(reason => entry.fail(reason))
      call.abort.add(ear)
      held.push(entry)
      arrivals.emit('taken')
    })
  }

  return {
    service,
    held,
    get taken() {
      return taken
    },
    async arrived(count) {
      await untilEvent(arrivals, 'taken', () => taken >= count)
    },
  }
}
