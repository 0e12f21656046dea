import type { Worker } from 'node:cluster'

/** Time between two looks at a channel whose process has exited, in ms, and their number. */
const lookEvery = 10
const maxLooks = 100
/**
 * `node:cluster` sends one connection at a time to a worker. With this many on record, its answers are of a form that
 * is not known here.
 */
const maxSent = 1024

/** Tracks the connections on their way to a worker; called for each worker when it is started. */
export type TrackWorker = (worker: Worker) => void

/** A connection that `node:cluster` sent and that the worker has not answered. */
interface Sent {
  readonly message: object
  readonly handle: { close(): void }
}

interface Receiver {
  /** By the number of the message, which the answer repeats. */
  readonly sent: Map<number, Sent>
  isListening: boolean
}

/**
 * Makes the record of connections on their way. `node:cluster` keeps its copy of a connection until the worker answers
 * whether it took it. Where the worker ends before it answers, the answer never comes: the caller would wait for ever,
 * and the copy would stay open. Such a connection is sent to another worker, whose answer `node:cluster` takes for the
 * missing one, or is closed where no worker listens.
 *
 * A worker answers before it reads from the connection, and its channel is read to the end before it counts as ended.
 * So no two workers read from one connection.
 */
export function createRedispatcher(): TrackWorker {
  const receivers = new Map<Worker, Receiver>()
  let isBlind = false

  /** Ends the record: without answers it would grow, and connections that were taken would be sent again. */
  function giveUp(): void {
    isBlind = true
    for (const { sent } of receivers.values()) sent.clear()
  }

  /** Sends what was on its way to a worker that has ended to the worker with the fewest connections on their way. */
  function redirect({ sent }: Receiver): void {
    for (const { message, handle } of sent.values()) {
      const [target] = [...receivers]
        .filter(([worker, { isListening }]) => isListening && worker.isConnected())
        .sort(([, a], [, b]) => a.sent.size - b.sent.size)
      if (target === undefined) handle.close()
      // It must be the method of that worker, so that the connection is on record again.
      else target[0].process.send(message, handle as never, () => {})
    }
    sent.clear()
  }

  return worker => {
    const receiver: Receiver = { sent: new Map(), isListening: false }
    const { process: child } = worker
    const send = child.send.bind(child) as (...args: readonly unknown[]) => boolean

    function end(looks = 0): void {
      // Node.js emits no 'disconnect' for a channel that waits for the receipt of a connection, so the state of the
      // channel is read.
      if (child.connected && looks < maxLooks) setTimeout(end, lookEvery, looks + 1)
      // Messages that were read are emitted in the turn in which they were read.
      else setImmediate(redirect, receiver)
    }

    receivers.set(worker, receiver)
    child.send = (message: unknown, handle?: unknown, ...rest: readonly unknown[]) => {
      const number = (message as { readonly seq?: unknown } | null)?.seq
      if (!isBlind && isHandle(handle) && typeof number === 'number')
        receiver.sent.set(number, { message: message as object, handle })
      if (receiver.sent.size > maxSent) giveUp()
      return send(message, handle, ...rest)
    }
    child.on('internalMessage', (message: { readonly ack?: unknown } | null | undefined) => {
      receiver.sent.delete(message?.ack as number)
    })
    worker.once('listening', () => {
      receiver.isListening = true
    })
    child.once('exit', () => {
      receivers.delete(worker)
      end()
    })
  }
}

function isHandle(value: unknown): value is Sent['handle'] {
  return typeof value === 'object' && value !== null && 'close' in value && typeof value.close === 'function'
}
