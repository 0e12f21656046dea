import type { FastifyReply } from 'fastify'
import type { ReplySink } from '../reply/reply-sink.ts'

/**
 * Collects the status and the headers of a plain reply, for the last event of a stream. Headers that hooks of the app
 * have set are not among them, except `vary`, which a run extends.
 */
export class ReplyCollector implements ReplySink {
  status = 200
  /** The headers, by lower-case name. */
  readonly fields: Record<string, string | string[]> = {}
  readonly #reply: Pick<FastifyReply, 'getHeader'>

  constructor(reply: Pick<FastifyReply, 'getHeader'>) {
    this.#reply = reply
  }

  header(name: string, value: string | string[]): void {
    this.fields[name] = value
  }

  headers(values: Record<string, string | string[]>): void {
    Object.assign(this.fields, values)
  }

  code(status: number): void {
    this.status = status
  }

  getHeader(name: string): ReturnType<ReplySink['getHeader']> {
    return this.fields[name] ?? (name === 'vary' ? this.#reply.getHeader(name) : undefined)
  }
}
