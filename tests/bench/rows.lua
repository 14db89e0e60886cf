-- rows.lua: wrk asks for predictions of the replayed flights, ROWS (environment; 1) rows a request, all distinct; with UNITS each
-- names a unit.
local rows_a_request = tonumber(os.getenv("ROWS") or "1")
local path = "/v2/models/flight-delay/infer"
local first_feature, features = 4, 15
local requests, next_request, unit = {}, 0, 0

-- The features of one line of replay.csv; an empty field is a missing value.
local function numbers(line)
	local list, column = {}, 0
	for field in (line .. ","):gmatch("([^,]*),") do
		column = column + 1
		if column >= first_feature and column < first_feature + features then
			list[#list + 1] = field == "" and "null" or field
		end
	end
	return table.concat(list, ",")
end

local function request_make(rows)
	local body = string.format('{"inputs":[{"name":"rows","shape":[%d,%d],"datatype":"FP64","data":[%s]}]}',
		#rows, features, table.concat(rows, ","))
	local headers = {["Content-Type"] = "application/json"}
	if os.getenv("UNITS") then
		unit = unit + 1
		headers["Mldeck-Unit"] = "user-" .. unit
	end
	return wrk.format("POST", path, headers, body)
end

function init()
	local rows = {}
	local file = assert(io.open(os.getenv("REPLAY")))
	file:read()
	for line in file:lines() do
		rows[#rows + 1] = numbers(line)
		if #rows == rows_a_request then
			requests[#requests + 1] = request_make(rows)
			rows = {}
		end
		if #requests == 8192 then
			break
		end
	end
	file:close()
end

function request()
	next_request = next_request % #requests + 1
	return requests[next_request]
end

function done(summary)
	local errors = summary.errors
	io.write(string.format("REQUESTS %d DURATION_US %d FAILED %d\n", summary.requests, summary.duration,
		errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
