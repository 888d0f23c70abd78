-- What wrk runs for load.py. Arguments: milliseconds that each connection waits before a request; then, for filters
-- that nobody asked for before, the path, the number of the first filter, the first day (seconds since 1970), and how
-- many days a filter begins on and is long. Numbers stand for filters as load.filter_of() has it.

local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

function init(args)
    local pause = tonumber(args[1] or 0)
    if pause > 0 then
        delay = function() return pause end
    end
    if not args[2] then return end

    local path, number, first_s, days = args[2], tonumber(args[3]), tonumber(args[4]), tonumber(args[5])
    answered, refused, unexpected = 0, 0, 0
    request = function()
        local place = number * 1000003 % (days * days)
        local begin_s = first_s + math.floor(place / days) * 86400
        local end_s = begin_s + place % days * 86400
        number = number + 1
        return wrk.format("GET", path .. os.date("!?data_adesao_inicio=%Y-%m-%d", begin_s)
            .. os.date("!&data_adesao_fim=%Y-%m-%d", end_s))
    end
    response = function(status, headers)
        if status == 200 then
            answered = answered + 1
        elseif status == 503 and headers["Retry-After"] then
            refused = refused + 1
        else
            unexpected = unexpected + 1
        end
    end
end

function done(summary, latency)
    local counts = { answered = 0, refused = 0, unexpected = 0 }
    for _, thread in ipairs(threads) do
        for name, count in pairs(counts) do
            counts[name] = count + (thread:get(name) or 0)
        end
    end
    local errors = summary.errors
    io.write(string.format(
        '\n{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "max_ms": %.3f, "broken": %d, '
            .. '"status_errors": %d, "answered": %d, "refused": %d, "unexpected": %d}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
        latency.max / 1000, errors.connect + errors.read + errors.write + errors.timeout, errors.status,
        counts.answered, counts.refused, counts.unexpected))
end
