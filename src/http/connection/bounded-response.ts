import { ServerResponse, type IncomingMessage, type OutgoingHttpHeader, type OutgoingHttpHeaders } from 'node:http'
import { countBodyOfRequest, countHead } from './received-bytes.ts'
import { closeIfUnread, hasBody } from './unread-body.ts'

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[]

/**
 * A response that closes its connection when it goes out before a body that is large or of unknown length. Every way to
 * answer writes a head.
 */
export class BoundedResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  constructor(request: Request, options?: object) {
    // @ts-expect-error The types leave the second parameter out.
    super(request, options)
    countHead(request.socket)
    if (hasBody(request)) countBodyOfRequest(request)
  }

  override writeHead(status: number, reason?: string | Headers, headers?: Headers): this {
    if (!this.req.complete) closeIfUnread(this.req, this)
    return super.writeHead(status, reason as string, headers)
  }
}
