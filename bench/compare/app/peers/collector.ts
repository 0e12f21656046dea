import type { Dispatcher } from 'undici'

/** Reads one complete JSON reply. It is a class so that all calls share the same functions. */
export class Collector implements Dispatcher.DispatchHandler {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  statusCode = 0
  // Most small bodies have one chunk, so the array is created only for the second chunk.
  first: Buffer | undefined = undefined
  rest: Buffer[] | undefined = undefined

  constructor(resolve: (value: unknown) => void, reject: (error: Error) => void) {
    this.resolve = resolve
    this.reject = reject
  }

  // Without this method, undici treats the handler as one with the old interface.
  onRequestStart() {}

  onResponseStart(_controller: Dispatcher.DispatchController, statusCode: number) {
    this.statusCode = statusCode
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer) {
    if (this.first === undefined) this.first = chunk
    else (this.rest ??= [this.first]).push(chunk)
  }

  onResponseEnd() {
    if (this.statusCode !== 200) {
      this.reject(new Error(`the upstream answered ${this.statusCode}`))
      return
    }
    const bytes = this.rest === undefined ? this.first : Buffer.concat(this.rest)
    try {
      this.resolve(JSON.parse(bytes === undefined ? '' : bytes.toString()))
    } catch (error) {
      this.reject(error as Error)
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error) {
    this.reject(error)
  }
}
