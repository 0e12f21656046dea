import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Problem } from '../../errors.ts'
import type { StreamEnd, StreamFormatLabel, StreamMetrics } from '../../metrics/stream-metrics.ts'
import { linger } from '../connection/linger.ts'
import { requestsOn } from '../connection/open-connections.ts'
import type { OpenStream, OpenStreams } from '../connection/open-streams.ts'
import { closeIfUnread } from '../connection/unread-body.ts'
import { closedBy } from '../log/request-line.ts'
import { mediaTypes, type StreamType } from '../request/media-types.ts'
import type { StreamId } from './resumption.ts'
import { streamFormat } from './stream-format.ts'
import type { StreamLimits } from './stream-options.ts'
import { enterStreamPhase, StreamPhase } from './stream-phase.ts'
import { StreamWriter } from './stream-writer.ts'
import type { WaitingEvent } from './waiting-event.ts'

/** The parts of an app that its streams share. */
export interface StreamServices {
  readonly limits: StreamLimits
  readonly open: OpenStreams
  readonly metrics: StreamMetrics
}

/** The work whose events a stream sends. */
export interface StreamSource {
  /** Called once if the connection closes before the last event was sent. The work is cancelled. */
  closed(): void
  /** Called if the service ends the stream before its work has ended. It ends the stream with the problem. */
  interrupted(problem: Problem): void
  /** Called when the caller has read all events. */
  drained(): void
}

/**
 * The stream of one request: its phases, its head and its end. Until `open` is called, the reply may still be a plain
 * one.
 */
export class EventStream implements OpenStream {
  readonly #type: StreamType
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #services: StreamServices
  readonly #source: StreamSource
  readonly #writer: StreamWriter
  #phase: StreamPhase = StreamPhase.opening
  #last: WaitingEvent | undefined

  constructor(
    request: FastifyRequest,
    reply: FastifyReply,
    type: StreamType,
    id: StreamId,
    services: StreamServices,
    source: StreamSource,
  ) {
    this.#type = type
    this.#request = request
    this.#reply = reply
    this.#services = services
    this.#source = source
    this.#writer = new StreamWriter(reply.raw, streamFormat(type, id), services.limits, () => source.drained())
    // The line of the request is written by a later listener, and has the work that is cancelled here.
    reply.raw.prependListener('close', () => this.#closed())
  }

  get socket(): Socket {
    return this.#request.raw.socket
  }

  /** The form of the events, for the log and the metrics. */
  get format(): StreamFormatLabel {
    return this.#type === 'sse' ? 'sse' : 'ndjson'
  }

  /** True if the reply is a plain one so far. */
  get isOpening(): boolean {
    return this.#phase === StreamPhase.opening
  }

  /** True while events are accepted. */
  get isOpen(): boolean {
    return this.#phase === StreamPhase.open
  }

  /** True if the caller has read all events. */
  get isDrained(): boolean {
    return this.#writer.isDrained
  }

  /** Gives the request back to a plain reply. */
  becomePlain(): void {
    this.#enter(StreamPhase.plain)
  }

  /**
   * Sends the head of the stream and its first event. From here on the status is 200.
   *
   * @throws what Node throws for a header of the app that cannot be sent. The reply may still be a plain one then.
   */
  open(first: WaitingEvent): void {
    this.#writeHead()
    this.#services.open.add(this)
    this.#services.metrics.opened()
    this.#writer.start(first)
  }

  /**
   * Sends the head alone, as the reply to a HEAD request.
   *
   * @throws as `open` does
   */
  sendHead(): void {
    this.#writeHead()
    this.#enter(StreamPhase.ending)
    this.#reply.raw.end()
  }

  /** Sends an event, unless the last event is known. */
  send(event: WaitingEvent): void {
    if (this.isOpen) this.#writer.send(event)
  }

  /** Sends an event that a slow caller may miss. */
  sendUnlessBehind(event: WaitingEvent): void {
    if (this.isOpen) this.#writer.sendUnlessBehind(event)
  }

  /** Sends the last event. */
  finish(last: WaitingEvent): void {
    this.#enter(StreamPhase.ending)
    this.#last = last
    this.#writer.end(last)
  }

  end(problem: Problem): void {
    if (this.isOpen) this.#source.interrupted(problem)
  }

  check(now: number): void {
    if (this.#writer.isStuck(now)) this.#reply.raw.destroy()
  }

  #enter(phase: StreamPhase): void {
    this.#phase = enterStreamPhase(this.#phase, phase)
  }

  /** Writes the head, and takes the response from Fastify. The hooks `onSend` of the app do not run. */
  #writeHead(): void {
    const { raw } = this.#reply
    const head: OutgoingHttpHeaders = {
      ...(this.#reply.getHeaders() as OutgoingHttpHeaders),
      'content-type': mediaTypes[this.#type],
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    }
    delete head['content-length']
    delete head['etag']
    if (closeIfUnread(this.#request.raw, raw) || this.#closesConnection) head['connection'] = 'close'
    raw.writeHead(200, head)
    this.#reply.hijack()
    this.#enter(StreamPhase.open)
  }

  #closed(): void {
    const phase = this.#phase
    if (phase === StreamPhase.plain) return
    const { raw } = this.#reply
    const isComplete = phase === StreamPhase.ending && isFinished(raw)
    this.#enter(isComplete ? StreamPhase.ended : this.#isCut(phase) ? StreamPhase.cut : StreamPhase.left)
    this.#writer.close()
    // The reply to a HEAD request was never an open stream.
    if (this.#services.open.delete(this)) this.#services.metrics.ended(this.format, this.#endOf())
    if (!isComplete) return this.#source.closed()
    // The head of the stream may have been sent before the app began to close its connections.
    if (this.#closesConnection && !requestsOn(this.socket)) linger(this.socket)
  }

  /** True if the connection closes after this response. A connection of HTTP/2 has other streams. */
  get #closesConnection(): boolean {
    return this.#services.open.closesConnections && this.#request.raw.httpVersionMajor === 1
  }

  #isCut(phase: StreamPhase): boolean {
    return phase !== StreamPhase.opening && closedBy(this.#request) === 'service'
  }

  #endOf(): StreamEnd {
    if (this.#phase === StreamPhase.cut) return 'cut'
    return this.#phase === StreamPhase.ended && this.#last !== undefined ? (this.#last.event as StreamEnd) : 'left'
  }
}

/** Returns whether the whole response was handed to the connection. A response of HTTP/2 has no `writableFinished`. */
function isFinished(raw: ServerResponse): boolean {
  return (raw as { readonly writableFinished?: boolean }).writableFinished ?? raw.writableEnded
}
