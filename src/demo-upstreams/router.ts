import type { DemoAnswer, DemoRoute, DemoRequest } from './route.ts'

const notFound: DemoAnswer = { status: 404, body: { message: 'Not Found', code: 404 } }
const badRequest: DemoAnswer = { status: 400, body: { message: 'Bad Request', code: 400 } }

/** Returns a function that answers a request with the first route whose path matches. */
export function router(routes: readonly DemoRoute[]) {
  const patterns = routes.map(({ path, answer }) => ({
    answer,
    pattern: new RegExp(`^${path.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}/?$`),
  }))

  return function answer(url: string, request: Pick<DemoRequest, 'number' | 'origin'>): DemoAnswer {
    const [path = '/', search] = url.split('?', 2)
    for (const { pattern, answer } of patterns) {
      const match = pattern.exec(path)
      if (match === null) continue
      const params = decodeAll(match.groups ?? {})
      if (params === undefined) return badRequest
      return answer({ ...request, path, params, query: new URLSearchParams(search) })
    }
    return notFound
  }
}

function decodeAll(groups: Record<string, string>): Record<string, string> | undefined {
  try {
    return Object.fromEntries(Object.entries(groups).map(([name, text]) => [name, decodeURIComponent(text)]))
  } catch {
    return undefined
  }
}
