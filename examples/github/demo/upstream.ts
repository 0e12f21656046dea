import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Repository {
  readonly name: string
  readonly stars: number
  /** The logins, the most active first. GitHub does not list them if there are too many. */
  readonly contributors: readonly string[] | 'too many'
  readonly languages: Readonly<Record<string, number>>
}

const users = new Map([
  ['ada', { login: 'ada', name: 'Ada Brook' }],
  ['ben', { login: 'ben', name: null }],
])
const organizations = new Map<string, readonly Repository[]>([
  [
    'rivers',
    [
      { name: 'delta', stars: 90, contributors: ['ada', 'ben'], languages: { TypeScript: 9000, Shell: 200 } },
      { name: 'estuary', stars: 70, contributors: ['ben'], languages: { Go: 4000 } },
      { name: 'kernel', stars: 50, contributors: 'too many', languages: { C: 800_000 } },
      { name: 'meander', stars: 10, contributors: ['ada'], languages: { Rust: 3000 } },
      { name: 'new', stars: 0, contributors: [], languages: {} },
    ],
  ],
  [
    'lakes',
    [
      { name: 'basin', stars: 8, contributors: ['ada'], languages: { Go: 500 } },
      { name: 'shore', stars: 5, contributors: ['ben'], languages: { Zig: 700 } },
    ],
  ],
])

/** A page has at most 2 repositories, so that a few of them need several pages. GitHub sends at most 100. */
const maxPerPage = 2

interface Answer {
  readonly status: number
  readonly body?: object
  readonly link?: string
}

const notFound: Answer = { status: 404, body: { message: 'Not Found' } }

/** An imitation of a part of GitHub's API. */
export interface GitHub extends AsyncDisposable {
  readonly origin: string
  /** Answers all further requests for a path with this status. A path may name a page: `/orgs/rivers/repos?page=2`. */
  fail(path: string, status?: number): void
}

/**
 * Starts the imitation on a free port of this machine. It knows the organizations `rivers` and `lakes`.
 *
 * @returns The imitation, which stops at the end of an `await using` block.
 */
export async function startGitHub(): Promise<GitHub> {
  const faults = new Map<string, number>()
  const server = createServer(({ url = '' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://localhost')
    const page = Number(searchParams.get('page') ?? 1)
    const fault = faults.get(page === 1 ? pathname : `${pathname}?page=${page}`)
    const answer = fault === undefined ? answerTo(pathname, page) : { status: fault, body: { message: 'Server Error' } }
    if (answer.link !== undefined) response.setHeader('link', answer.link)
    if (answer.body !== undefined) response.setHeader('content-type', 'application/json')
    response.writeHead(answer.status).end(answer.body && JSON.stringify(answer.body))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fail: (path, status = 500) => void faults.set(path, status),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

function answerTo(pathname: string, page: number): Answer {
  const [, collection, name = '', second, part] = pathname.split('/')
  const user = users.get(name)
  if (collection === 'users' && user !== undefined) return { status: 200, body: user }

  const repositories = organizations.get(name) ?? []
  if (collection === 'orgs' && organizations.has(name))
    return second === 'repos'
      ? pageOf(repositories, page, pathname)
      : { status: 200, body: { login: name, public_repos: repositories.length } }

  const repository = repositories.find(({ name }) => name === second)
  if (collection !== 'repos' || repository === undefined) return notFound
  if (part === 'languages') return { status: 200, body: repository.languages }
  return part === 'contributors' ? contributorsOf(repository) : notFound
}

function pageOf(repositories: readonly Repository[], page: number, pathname: string): Answer {
  const end = page * maxPerPage
  const rows = repositories.slice(end - maxPerPage, end)
  const body = rows.map(({ name, stars }) => ({ name, stargazers_count: stars }))
  if (end >= repositories.length) return { status: 200, body }
  return { status: 200, body, link: `<https://api.github.com${pathname}?page=${page + 1}>; rel="next"` }
}

function contributorsOf({ contributors }: Repository): Answer {
  if (contributors === 'too many') return { status: 403, body: { message: 'The contributor list is too large.' } }
  if (contributors.length === 0) return { status: 204 }
  return { status: 200, body: contributors.map(login => ({ login })) }
}
