/** What a route of a stand-in is told about a request. */
export interface RouteRequest {
  /** How many requests the stand-in had seen before this one: what all random choices are made from. */
  number: number
  /** The stand-in's own origin, for links to itself. */
  origin: string
  /** The path as it was sent. */
  path: string
  /** The decoded values of the path's `:names`. */
  params: Readonly<Record<string, string>>
  query: URLSearchParams
}

/** What a route of a stand-in answers. */
export interface Answer {
  /** @default 200 */
  status?: number
  headers?: Readonly<Record<string, string>>
  /** Is written as JSON. */
  body?: unknown
  /** Is written as it is, in place of a body. */
  text?: string
}

/** One path of a stand-in, such as `/v1/breeds/:id`, and what it answers. */
export interface Route {
  path: string
  answer: (request: RouteRequest) => Answer
}
