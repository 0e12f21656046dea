import type { Worker } from 'node:cluster'

/** Time between two checks of a channel whose process has exited, in ms, and the largest number of checks. */
const lookEvery = 10
const maxLooks = 100
/**
 * The largest number of recorded connections of a worker. `node:cluster` sends one connection at a time to a worker. So
 * with more records, the form of its answers must be unknown, and recording ends.
 */
const maxSent = 1024

/** Tracks the connections on their way to a worker; called for each worker when it is started. */
export type TrackWorker = (worker: Worker) => void

/** A connection that `node:cluster` sent to a worker and that the worker has not answered yet. */
interface Sent {
  readonly message: object
  readonly handle: { close(): void }
}

interface Receiver {
  /** The connections by the number of their message, which the answer repeats. */
  readonly sent: Map<number, Sent>
  isListening: boolean
}

/**
 * Creates a record of the connections that were sent to a worker and not answered. `node:cluster` keeps its copy of a
 * connection until the worker answers whether it accepted the connection. If the worker exits before it answers, the
 * answer never arrives: the caller would wait without end, and the copy would stay open. Such a connection is sent to
 * another worker, and `node:cluster` uses the answer of that worker. If no worker listens, the connection is closed.
 *
 * A worker answers before it reads from the connection. The channel of an exited worker is read to its end before its
 * connections are sent again. So two workers never read from the same connection.
 */
export function createRedispatcher(): TrackWorker {
  const receivers = new Map<Worker, Receiver>()
  let isBlind = false

  /**
   * Stops recording. If answers are not recognized, the record grows, and connections that a worker has accepted would
   * be sent again.
   */
  function giveUp(): void {
    isBlind = true
    for (const { sent } of receivers.values()) sent.clear()
  }

  /** Sends the unanswered connections of an exited worker to the worker with the fewest unanswered connections. */
  function redirect({ sent }: Receiver): void {
    for (const { message, handle } of sent.values()) {
      const [target] = [...receivers]
        .filter(([worker, { isListening }]) => isListening && worker.isConnected())
        .sort(([, a], [, b]) => a.sent.size - b.sent.size)
      if (target === undefined) handle.close()
      // Call the method of the process itself, so that the connection is recorded again.
      else target[0].process.send(message, handle as never, () => {})
    }
    sent.clear()
  }

  return worker => {
    const receiver: Receiver = { sent: new Map(), isListening: false }
    const { process: child } = worker
    const send = child.send.bind(child) as (...args: readonly unknown[]) => boolean

    function end(looks = 0): void {
      // Node.js does not emit 'disconnect' for a channel that waits for the receipt of a connection, so the state of
      // the channel is polled.
      if (child.connected && looks < maxLooks) setTimeout(end, lookEvery, looks + 1)
      // Messages are emitted in the event-loop turn in which they are read, so all of them are emitted before
      // `setImmediate`.
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
