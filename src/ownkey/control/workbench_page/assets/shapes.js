/**
 * What the API answers, as far as the page reads it. Times are RFC 3339, durations milliseconds, shares 0 to 1, money
 * USD as a decimal string. See /docs.
 *
 * @typedef {{session_s: number, targets: number, suites: number, suite_bytes: number, suite_prompts: number, runs: number, calls_a_run: number, concurrency: number, max_tokens: number, tests_a_minute: number}} Limits
 * @typedef {{account: string|null, limits: Limits, simulated: boolean}} Terms
 * @typedef {{input_usd_per_million: string, output_usd_per_million: string, source: string}} Prices
 * @typedef {{id: string, label: string, kind: string, model: string, preset: string|null, base_url: string|null, credential: string|null, masked_key: string|null, key_hint?: string|null, abilities: Record<string, any>, prices: Prices|null}} Target
 * @typedef {{id: string, token?: string|null, anonymous: boolean, expires_at: string, targets: Target[], runs: Run[], limits: Limits}} Session
 * @typedef {{name: string, label: string, base_url: string|null, needs_key: boolean, hint: string}} Preset
 * @typedef {{id: string, name: string, description: string, task: string|null, difficulty: string|null, licence: string|null, curated: boolean, prompts: number, notes?: string[]}} Suite
 * @typedef {{id: string, messages: {role: string, content: string}[], checks?: {type: string, value?: any, threshold?: number}[], reference?: string}} Prompt
 * @typedef {{name: string, ok: boolean|null, message: string, ms: number|null}} CheckStep
 * @typedef {{success: boolean, message: string, advice: string, latency_ms: number|null, preview: string, steps: CheckStep[], abilities: Record<string, any>, base_url: string|null, models: string[]}} Check
 * @typedef {{calls: number, likely_usd: string|null, most_usd: string|null}} Share
 * @typedef {{likely_usd: string|null, most_usd: string|null, answers: Share, judge: Share, embeddings: Share}} Preview
 * @typedef {"pending"|"running"|"completed"|"failed"|"cancelled"} Status
 * @typedef {{id: string, suite_id: string, status: Status, detail: string, round: number, progress: {done: number, total: number}, created_at: string, plan?: Plan, metrics?: Summary}} Run
 * @typedef {{targets: Target[], suite: Suite, repeats?: number, concurrency?: number, limit?: number}} Plan
 * @typedef {{kind: string, message: string, status: number|null, advice: string}} Failure
 * @typedef {{check: string, passed: boolean|null, score?: number|null, reason?: string}} Grade
 * @typedef {{seq: number, target: number, prompt_id: string, position: number, repeat: number, warm_up: boolean, status: "ok"|"failed", passed: boolean|null, score: number|null, prompt: {role: string, content: string}[], answer: string, reasoning: string, finish_reason: string|null, grades: Grade[], failure: Failure|null, attempts: number, cautions: string[], latency_ms: number|null, ttft_ms: number|null, input_tokens: number|null, output_tokens: number|null, tokens_source: string|null, cost_usd: string|null}} Result
 * @typedef {{unit: string, count: number, avg: number, min: number, max: number, p50: number, p95: number, p99: number, std?: number, cautions?: string[]}} Spread
 * @typedef {{count: number, total: number, rate: number, low: number, high: number}} Rate
 * @typedef {{name: string, unit: string, formula: string}} Definition
 * @typedef {{target: number, label: string, model: string, requests: number, success: Rate, first_attempt: Rate, passed: Rate|null, metrics?: Record<string, Spread>, cost_usd: string|null, cost_per_passed_usd: string|null, unpriced: number, good: Rate|null, duration_ms: number, goodput_per_second: number|null, quality_adjusted_goodput: number|null, system_tokens_per_second: number|null, requests_per_second: number|null, failures?: {kind: string, count: number, advice: string, example: string}[], cold_start?: Record<string, number>, warm_ups: number}} TargetSummary
 * @typedef {{metric: string, unit: string, higher_is_better: boolean, method: string, pairs: number, a: number, b: number, difference: number, low: number, high: number, p_adjusted: number, verdict: "a"|"b"|"cannot_tell", words: string}} MetricComparison
 * @typedef {{a: number, b: number, verdict: "a"|"b"|"cannot_tell", words: string, metrics: MetricComparison[], preference: {judge: string, a_wins: number, b_wins: number, ties: number, flip_rate: number}|null}} PairComparison
 * @typedef {{targets: TargetSummary[], comparisons: PairComparison[], definitions: Definition[], load: string, cautions: string[], spent: {words: string}|null}} Summary
 * @typedef {{erased_at: string, deleted: Record<string, number>, runs: string[], scrubbed: boolean, kept: string[]}} Receipt
 */
export {};
