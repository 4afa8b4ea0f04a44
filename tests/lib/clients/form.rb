# A form by net/http: ruby form.rb URL; the file f, under two names, and a field.
require 'json'
require 'net/http'

uri = URI(ARGV[0])
request = Net::HTTP::Post.new(uri)
request.set_form([['note', 'ü'], ['up', File.open('f')],
                  ['up', File.open('f'), { filename: 'a "b" ä.txt' }]], 'multipart/form-data')
answer = Net::HTTP.start(uri.host, uri.port) { |http| http.request(request) }
puts "#{answer.code} #{JSON.parse(answer.body)['files'].map { |f| f['name'] }.join(' ')}"
