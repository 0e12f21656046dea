import type { DemoRequest } from './route.ts'
import { wholeNumber } from './whole-number.ts'

const LIMIT_DEFAULT = 10
const LIMIT_MAX = 1000

/** Returns one page of the items in the format of Laravel's paginator. */
export function page(items: readonly unknown[], { query, origin, path }: DemoRequest) {
  const limit = wholeNumber(query.get('limit'), LIMIT_DEFAULT, LIMIT_MAX)
  const current = wholeNumber(query.get('page'), 1, Number.MAX_SAFE_INTEGER)
  const last = Math.max(1, Math.ceil(items.length / limit))
  const start = (current - 1) * limit
  const data = items.slice(start, start + limit)
  const base = origin + path
  // The links of the paginator contain no other parameter. A client that follows a link must add its limit again.
  const urlOf = (number: number) => (number >= 1 && number <= last ? `${base}?page=${number}` : null)

  return {
    current_page: current,
    data,
    first_page_url: urlOf(1),
    from: data.length === 0 ? null : start + 1,
    last_page: last,
    last_page_url: urlOf(last),
    links: [
      { url: urlOf(current - 1), label: 'Previous', active: false },
      ...Array.from({ length: last }, (_, index) => ({
        url: urlOf(index + 1),
        label: String(index + 1),
        active: index + 1 === current,
      })),
      { url: urlOf(current + 1), label: 'Next', active: false },
    ],
    next_page_url: urlOf(current + 1),
    path: base,
    per_page: limit,
    prev_page_url: urlOf(current - 1),
    to: data.length === 0 ? null : start + data.length,
    total: items.length,
  }
}
