import { heartbeats } from './messages.ts'

/** A watch over the heartbeats of one worker. */
export interface HeartbeatWatch {
  /** Called for each heartbeat. */
  came(): void
  /** Called when the process has loaded its modules. From then on the limit is `timeoutMs`. */
  started(): void
  /** Ends the watch. */
  end(): void
}

/** The limit while a process loads its modules, in ms, unless `timeoutMs` is longer. */
const startMs = 60_000

/**
 * Calls `onSilent` once when `timeoutMs` have passed without a heartbeat. The time is counted with a timer of this
 * process and not read from a clock. So time in which this process was stopped or the machine was suspended counts as
 * one tick only.
 *
 * @param timeoutMs in ms; 0 watches nothing
 */
export function watchHeartbeats(timeoutMs: number, onSilent: () => void): HeartbeatWatch {
  let most = Math.max(heartbeats, Math.ceil((startMs * heartbeats) / timeoutMs))
  let left = most
  const timer = timeoutMs > 0 ? setInterval(turn, timeoutMs / heartbeats).unref() : undefined

  function turn(): void {
    if (left-- > 0) return
    clearInterval(timer)
    onSilent()
  }

  return {
    came: () => {
      left = most
    },
    started: () => {
      left = most = heartbeats
    },
    end: () => clearInterval(timer),
  }
}
