/** The path below which the routes of bulk runs are. */
export const bulkUrl = '/v1/bulk'

/** The paths of bulk runs, as templates. */
export const bulkUrls = {
  create: `${bulkUrl}/{aggregate}`,
  runs: `${bulkUrl}/runs`,
  run: `${bulkUrl}/runs/{id}`,
  results: `${bulkUrl}/runs/{id}/results`,
  pause: `${bulkUrl}/runs/{id}/pause`,
  resume: `${bulkUrl}/runs/{id}/resume`,
  cancel: `${bulkUrl}/runs/{id}/cancel`,
} as const

/** The content type of inputs and results: one JSON value per line. */
export const lines = 'application/x-ndjson'

/** The longest idempotency key. */
export const maxKeyLength = 255
