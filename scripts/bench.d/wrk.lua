-- Requests for scripts/bench --generator wrk.
--
--	wrk ... -s wrk.lua URL -- METHOD PREFIX SIZE NAMES THREADS
--
-- The target is PREFIX and a number: one not used before, or with NAMES above
-- 0 one of so many, round and round.  At the end one line "json: {...}".

local threads = 0

function setup(thread)
	thread:set("id", threads)
	threads = threads + 1
end

function init(args)
	local method, prefix, size = args[1], args[2], tonumber(args[3])
	local length = ""

	names, step = tonumber(args[4]), tonumber(args[5])
	count = id
	body = ""
	if method ~= "GET" then
		length = "Content-Length: " .. size .. "\r\n"
		body = string.rep("0123456789abcdef", math.ceil(size / 16)):sub(1, size)
	end
	first = method .. " " .. prefix
	second = " HTTP/1.1\r\nHost: " .. wrk.headers["Host"] .. "\r\n" ..
	    length .. "\r\n" .. body
end

function request()
	local number = count

	count = count + step
	if names > 0 then
		number = number % names
	end
	return first .. number .. second
end

function done(summary, latency, requests)
	local e = summary.errors

	io.write(string.format("json: {\"requests\":%d,\"seconds\":%.6f," ..
	    "\"received\":%d,\"p50\":%.4f,\"p99\":%.4f,\"connect\":%d," ..
	    "\"read\":%d,\"write\":%d,\"status\":%d,\"timeout\":%d}\n",
	    summary.requests, summary.duration / 1e6, summary.bytes,
	    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
	    e.connect, e.read, e.write, e.status, e.timeout))
end
