import { runSliced } from './sliced.ts'

/**
 * Runs long work in pieces: up to each `yield` in a turn of the event loop of its own, so that a turn is as long as one
 * piece. Other sliced work runs in these turns too, within their limit.
 *
 * @param work The pieces. Each should take about 1 ms.
 * @returns What the generator returns. Rejects with what it throws.
 */
export function runPieces<T>(work: Generator<void, T, void>): Promise<T> {
  return new Promise((resolve, reject) => {
    const piece = () => {
      try {
        const { value, done } = work.next()
        if (done === true) return resolve(value)
        // Work that is added before this function returns would run in the same turn.
        queueMicrotask(() => runSliced(piece))
      } catch (error) {
        reject(error)
      }
    }
    runSliced(piece)
  })
}
